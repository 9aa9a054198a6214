import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ConnectionClosedError } from 'bullmq';

import { parseRedisAddress } from '../address.js';
import { QueueConnectionError } from '../errors.js';
import { RedisConnection } from './connection.js';
import { openRedis } from './open.js';

/** A server that answers every command with what `reply` says. */
let server: Server;
let sockets: Set<Socket>;
let received: string[];
let reply: (command: string) => string;

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

beforeEach(() => {
  sockets = new Set();
  received = [];
  reply = () => '+OK\r\n';
});

afterEach(close);

describe('RedisConnection', () => {
  it('logs in, chooses the database and waits while the server loads', async () => {
    let loading = 2;
    reply = (command) => (command.startsWith('SELECT') && loading-- > 0 ? '-LOADING dataset\r\n' : '+OK\r\n');
    const port = await listen();
    const client = await openRedis(`redis://me:secret@127.0.0.1:${port}/5`, 1000, 'a-name');
    expect(received).toEqual(['AUTH me secret', 'SELECT 5', 'SELECT 5', 'SELECT 5', 'CLIENT SETNAME a-name']);
    await client.quit();
  });

  it('says at once that nobody is there, that it may not come in, or that it is no such server', async () => {
    const port = await listen();
    reply = () => '-WRONGPASS invalid\r\n';
    await expect(openRedis(`redis://:x@127.0.0.1:${port}`, 1000)).rejects.toThrow(/WRONGPASS invalid/);
    reply = () => 'HTTP/1.1 400 Bad Request\r\n\r\n';
    await expect(openRedis(`redis://127.0.0.1:${port}`, 1000)).rejects.toThrow(/no Redis server/);
    await close();
    const nobody = openRedis(`redis://127.0.0.1:${port}`, 1000);
    await expect(nobody).rejects.toThrow(QueueConnectionError);
    await expect(nobody).rejects.toThrow(/ECONNREFUSED/);
  });

  it('refuses what was on the way when the connection was lost, and sends what came meanwhile', async () => {
    const port = await listen();
    const connection = new RedisConnection(parseRedisAddress(`redis://127.0.0.1:${port}`), {
      patience: 10_000,
    });
    await connection.connect();
    reply = () => '';
    const lost = connection.call('BLOCK');
    // Sent before the answer is awaited, so that it is on the way.
    const refused = expect(lost).rejects.toThrow(ConnectionClosedError);
    await close();
    await refused;
    expect(connection.status).toBe('reconnecting');
    const waiting = connection.call('LATER');
    reply = () => ':1\r\n';
    await listen(port);
    expect(await waiting).toBe(1);
    expect(connection.status).toBe('ready');
    connection.disconnect();
    await expect(connection.call('NEVER')).rejects.toThrow(ConnectionClosedError);
  });

  it('gives up after its patience, with what was waiting', async () => {
    const port = await listen();
    const connection = new RedisConnection(parseRedisAddress(`redis://127.0.0.1:${port}`), { patience: 200 });
    await connection.connect();
    const ended = new Promise((resolve) => connection.once('end', resolve));
    await close();
    await once(connection, 'close');
    await expect(connection.call('LATER')).rejects.toThrow(/the connection was lost, and \d+ attempts/);
    expect(await ended).toBeInstanceOf(QueueConnectionError);
    expect(connection.status).toBe('end');
  });
});
