import { EventEmitter } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectEncrypted } from 'node:tls';

import { ConnectionClosedError } from 'bullmq';

import type { RedisAddress } from '../address.js';
import { QueueConnectionError } from '../errors.js';
import { type Argument, encodeCommand, type Reply, ReplyError, ReplyReader, textOf } from './protocol.js';

/** How patient a connection is. */
export interface ConnectionOptions {
  /** Milliseconds that the server may be out of reach before the connection gives up. */
  readonly patience: number;
  /** Shown in the server's list of clients. */
  readonly name?: string | undefined;
}

interface Command {
  readonly words: readonly Argument[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds for one attempt to connect, and the longest pause between two. */
const connectTimeout = 5_000;
const longestPause = 2_000;

/**
 * A connection to a Redis server that comes back after it was lost. Commands on the way are refused with `ConnectionClosedError`
 * then, since nobody knows whether they were carried out; commands given meanwhile wait. Events: `ready`, `close`, `error`, and `end`
 * when the connection is over for good.
 */
export class RedisConnection extends EventEmitter {
  /** `wait` before the first attempt, `ready`, `reconnecting`, `end`. BullMQ sets `end` itself. */
  status = 'wait';
  private socket: Socket | undefined;
  private reader = new ReplyReader();
  private readonly sent: Command[] = [];
  private readonly waiting: Command[] = [];
  private timer: NodeJS.Timeout | undefined;
  private lostAt: number | undefined;
  private attempts = 0;

  constructor(
    protected readonly address: RedisAddress,
    protected readonly connectionOptions: ConnectionOptions,
  ) {
    super();
  }

  /** Resolves when commands can be given. @throws QueueConnectionError where the first attempt fails. */
  async connect(): Promise<void> {
    if (this.status === 'ready') return;
    this.status = 'connecting';
    try {
      await this.open();
    } catch (cause) {
      this.status = 'end';
      throw new QueueConnectionError(this.address.text, messageOf(cause), cause);
    }
  }

  /** The server's answer, texts as strings. */
  async call(...words: readonly Argument[]): Promise<Reply> {
    return textOf(await this.callRaw(...words));
  }

  /** The server's answer, texts as bytes. @throws ConnectionClosedError, ReplyError, QueueConnectionError */
  async callRaw(...words: readonly Argument[]): Promise<Reply> {
    if (this.status === 'end') throw new ConnectionClosedError();
    return new Promise((resolve, reject) => {
      const command = { words, resolve, reject };
      if (this.status === 'ready') this.write(command);
      else this.waiting.push(command);
    });
  }

  /** Ends the connection at once. */
  disconnect(reconnect = false): void {
    if (reconnect) {
      this.socket?.destroy();
      return;
    }
    this.finish(new ConnectionClosedError());
  }

  /** Ends the connection when the commands given so far are answered. */
  async quit(): Promise<string> {
    if (this.status === 'ready') await this.call('QUIT').catch(() => undefined);
    this.disconnect();
    return 'OK';
  }

  private async open(): Promise<void> {
    const { host, port, tls } = this.address;
    const socket = tls ? connectEncrypted({ host, port, servername: host }) : connectPlain({ host, port });
    socket.setNoDelay(true).setKeepAlive(true, 10_000);
    this.socket = socket;
    this.reader = new ReplyReader();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no answer within ${connectTimeout / 1000} s`));
      }, connectTimeout);
      socket.once('error', reject);
      socket.once('close', () => {
        clearTimeout(timer);
        reject(new Error('the connection was closed'));
        this.lost(socket);
      });
      socket.on('data', (piece: Buffer) => {
        this.receive(socket, piece);
      });
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        this.shakeHands().then(() => {
          clearTimeout(timer);
          resolve();
        }, reject);
      });
    }).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    // Later errors end in a close, which is what counts.
    socket.on('error', () => undefined);
    this.status = 'ready';
    this.lostAt = undefined;
    this.attempts = 0;
    for (const command of this.waiting.splice(0)) this.write(command);
    this.emit('ready');
  }

  /** Logs in, chooses the database, and waits while the server still reads its files. */
  private async shakeHands(): Promise<void> {
    const { username, password, database } = this.address;
    const ask = (...words: readonly Argument[]): Promise<Reply> =>
      new Promise((resolve, reject) => {
        this.write({ words, resolve, reject });
      });
    if (password !== undefined) await ask('AUTH', ...(username === undefined ? [] : [username]), password);
    for (;;) {
      try {
        await ask('SELECT', database);
        break;
      } catch (error) {
        if (!(error instanceof ReplyError) || !error.message.startsWith('LOADING')) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const { name } = this.connectionOptions;
    if (name !== undefined) await ask('CLIENT', 'SETNAME', name);
  }

  private write(command: Command): void {
    this.sent.push(command);
    this.socket?.write(encodeCommand(command.words));
  }

  private receive(socket: Socket, piece: Buffer): void {
    try {
      for (const reply of this.reader.push(piece)) {
        const command = this.sent.shift();
        if (reply instanceof ReplyError) command?.reject(reply);
        else command?.resolve(reply);
      }
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Refuses what was on the way, and tries to come back unless the connection is over. */
  private lost(socket: Socket): void {
    if (socket !== this.socket) return;
    this.socket = undefined;
    for (const command of this.sent.splice(0)) command.reject(new ConnectionClosedError());
    if (this.status !== 'ready') return;
    this.status = 'reconnecting';
    this.lostAt = Date.now();
    this.emit('close');
    this.emit('reconnecting');
    this.comeBack();
  }

  private comeBack(): void {
    const pause = Math.min(longestPause, 50 * 2 ** this.attempts++);
    this.timer = setTimeout(() => {
      if (this.status !== 'reconnecting') return;
      this.open().catch((cause: unknown) => {
        if (this.status !== 'reconnecting') return;
        const { patience } = this.connectionOptions;
        const away = Date.now() - (this.lostAt ?? Date.now());
        if (away < patience) {
          this.comeBack();
          return;
        }
        const problem = `the connection was lost, and ${this.attempts} attempts in ${Math.round(away / 1000)} s did not bring it back (${messageOf(cause)})`;
        this.finish(new QueueConnectionError(this.address.text, problem, cause));
      });
    }, pause);
  }

  private finish(error: Error): void {
    if (this.status === 'end' && this.socket === undefined) return;
    this.status = 'end';
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = undefined;
    socket?.destroy();
    for (const command of [...this.sent.splice(0), ...this.waiting.splice(0)]) command.reject(error);
    if (error instanceof QueueConnectionError && this.listenerCount('error') > 0) this.emit('error', error);
    this.emit('close');
    this.emit('end', error);
  }
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // What Node says of a name with several addresses.
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(messageOf).join('; ');
  return cause.message.replace(/\.+$/, '');
}
