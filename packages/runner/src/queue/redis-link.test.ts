import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { QueueConnectionError } from './errors.js';
import { RedisClient } from './redis-client.js';
import { RedisLink } from './redis-link.js';

/** A server that answers every command with what `reply` says. */
let server: Server;
let sockets: Set<Socket>;
let received: string[];
let reply: (command: string) => string;
let links: RedisLink[];
let clients: RedisClient[];

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const info = (loading: number): string => bulk(`redis_version:7.0.0\r\nloading:${loading}\r\n`);
const healthy = (command: string): string => (command === 'info' ? info(0) : '+OK\r\n');

async function listen(port = 0): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      // Commands of these tests fit into one piece.
      for (const command of piece.toString().split(/(?=\*\d)/)) {
        const words = command.split('\r\n').filter((line) => line !== '' && !/^[*$]/.test(line));
        received.push(words.join(' '));
        socket.write(reply(words.join(' ')));
      }
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
}

async function open(port: number, patience = 10_000): Promise<RedisLink> {
  const link = await RedisLink.open(`redis://127.0.0.1:${port}`, patience, 'a-name');
  links.push(link);
  return link;
}

/** A client of its own that is connected. @param pause milliseconds before it comes back; null: never. */
async function connect(port: number, pause: number | null): Promise<RedisClient> {
  const client = new RedisClient({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => pause });
  client.on('error', () => undefined);
  clients.push(client);
  await client.connect();
  return client;
}

/** Unlike `once` of Node, which an error before the close would reject. */
function closing(client: RedisLink['client']): Promise<unknown> {
  return new Promise((resolve) => client.once('close', resolve));
}

beforeEach(() => {
  sockets = new Set();
  received = [];
  links = [];
  clients = [];
  reply = healthy;
});

afterEach(async () => {
  for (const client of [...links.map((link) => link.client), ...clients]) client.disconnect();
  await close();
});

describe('RedisLink', () => {
  it('logs in, chooses the database and waits while the server loads', async () => {
    let loading = 2;
    reply = (command) => (command === 'info' ? info(loading-- > 0 ? 1 : 0) : '+OK\r\n');
    const port = await listen();
    const link = await RedisLink.open(`redis://me:secret@127.0.0.1:${port}/5`, 1000, 'a-name');
    expect(received.filter((command) => command === 'info')).toHaveLength(3);
    expect(received).toEqual(expect.arrayContaining(['auth me secret', 'select 5', 'client setname a-name']));
    await link.close();
    expect(received.at(-1)).toBe('quit');
  });

  it('says at once that nobody is there, that it may not come in, or that it is no such server', async () => {
    const port = await listen();
    reply = (command) => (command.startsWith('auth') ? '-WRONGPASS invalid\r\n' : '-NOAUTH first\r\n');
    await expect(RedisLink.open(`redis://:x@127.0.0.1:${port}`, 1000, 'a')).rejects.toThrow(
      /WRONGPASS invalid/,
    );
    await expect(open(port)).rejects.toThrow(/NOAUTH first/);
    reply = () => 'HTTP/1.1 400 Bad Request\r\n\r\n';
    await expect(open(port)).rejects.toThrow(/no Redis server/);
    reply = (command) =>
      command.startsWith('select') ? '-ERR DB index is out of range\r\n' : healthy(command);
    const outOfRange = RedisLink.open(`redis://127.0.0.1:${port}/99`, 1000, 'a');
    await expect(outOfRange).rejects.toThrow(/out of range/);
    await close();
    const nobody = open(port);
    await expect(nobody).rejects.toThrow(QueueConnectionError);
    await expect(nobody).rejects.toThrow(/ECONNREFUSED/);
  });

  it('breaks off where the server takes the connection and says nothing', async () => {
    reply = () => '';
    await expect(open(await listen())).rejects.toThrow(/no answer within 5 s/);
  }, 20_000);

  it('sends again what was on the way when the connection was lost, and what came meanwhile', async () => {
    const port = await listen();
    const { client } = await open(port);
    reply = () => '';
    const lost = client.call('BLOCK');
    const closed = closing(client);
    await close();
    await closed;
    expect(client.status).toBe('reconnecting');
    const waiting = client.call('LATER');
    reply = (command) => (command === 'info' ? info(0) : bulk(command));
    await listen(port);
    expect(await Promise.all([lost, waiting])).toEqual(['BLOCK', 'LATER']);
    expect(client.status).toBe('ready');
  });

  it('gives up after its patience, with what was waiting', async () => {
    const port = await listen();
    const link = await open(port, 200);
    const closed = closing(link.client);
    await close();
    await closed;
    const waiting = link.persistently(() => link.client.call('LATER'));
    await expect(waiting).rejects.toThrow(/the connection was lost and did not come back in .*ECONNREFUSED/);
    await expect(waiting).rejects.toBe(await link.gaveUp);
    expect(await link.gaveUp).toBeInstanceOf(QueueConnectionError);
    expect(link.client.status).toBe('end');
  });

  it('gives up with what was on the way', async () => {
    const link = await open(await listen(), 200);
    reply = () => '';
    const sent = link.persistently(() => link.client.call('BLOCK'));
    while (received.at(-1) !== 'BLOCK') await setTimeout(5);
    await close();
    await expect(sent).rejects.toThrow(QueueConnectionError);
  });

  it('gives up on demand where the server does not answer, and only there', async () => {
    const port = await listen();
    const [link, other] = [await open(port, 3_600_000), await open(port, 3_600_000)];
    const never = new AbortController().signal;
    await link.giveUpAfter(1, never);
    expect(await link.client.call('GET', 'a')).toBe('OK');
    reply = () => '';
    void link.giveUpAfter(1, never);
    expect((await link.gaveUp).message).toContain('no answer within 2 s');
    // What is waited for in a connection that was lost.
    const closed = closing(other.client);
    await close();
    await closed;
    const waiting = other.persistently(() => other.client.call('LATER'));
    void other.giveUpAfter(1, never);
    await expect(waiting).rejects.toBe(await other.gaveUp);
    const stopped = new AbortController();
    const given = other.giveUpAfter(3_600_000, stopped.signal);
    stopped.abort();
    await given;
  });

  it('repeats what was interrupted, and nothing that was refused', async () => {
    const link = await open(await listen());
    const interrupted = Object.assign(new Error('Command aborted'), { name: 'AbortError' });
    let attempts = 0;
    const result = await link.persistently(() =>
      ++attempts < 3 ? Promise.reject(interrupted) : Promise.resolve(attempts),
    );
    expect(result).toBe(3);
    reply = () => '-ERR no\r\n';
    received = [];
    await expect(link.persistently(() => link.client.call('GET', 'a'))).rejects.toThrow('ERR no');
    expect(received).toHaveLength(1);
  });
});

describe('RedisClient', () => {
  it('counts a server as lost that takes commands and answers none', async () => {
    const client = await connect(await listen(), null);
    client.askForLife(20);
    while (received.filter((command) => command === 'ping').length < 3) await setTimeout(5);
    expect(client.status).toBe('ready');
    reply = () => '';
    await expect(client.call('GET', 'a')).rejects.toThrow('Connection is closed');
    expect(client.status).toBe('end');
  });

  it.each([
    ['it', (client: RedisClient) => client],
    ['a duplicate', (client: RedisClient) => client.duplicate()],
  ])('ends between two attempts, with what was waiting: %s', async (_, choose) => {
    const client = choose(await connect(await listen(), 3_600_000));
    if (client.status === 'wait') await client.connect();
    client.on('error', () => undefined);
    clients.push(client);
    const closed = closing(client);
    await close();
    await closed;
    const ended = new Promise((resolve) => client.once('end', resolve));
    const waiting = client.call('LATER');
    client.disconnect();
    await expect(waiting).rejects.toThrow('Connection is closed');
    await ended;
    expect(client.status).toBe('end');
  });
});
