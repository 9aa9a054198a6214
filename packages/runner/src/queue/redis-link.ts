import { setTimeout } from 'node:timers/promises';

import type { RedisOptions } from 'ioredis';

import { parseRedisAddress, type RedisAddress } from './address.js';
import { QueueConnectionError } from './errors.js';
import { closedMessage, RedisClient } from './redis-client.js';

/** Milliseconds: the longest pause between two attempts to connect, and how long a server may take to say goodbye. */
const longestPause = 2_000;

/**
 * A connection to a Redis server that comes back after it was lost, and gives up when the server was out of reach for too long. Commands
 * given meanwhile wait, and those on the way are sent again, so they have to be ones that may be done twice.
 */
export class RedisLink {
  readonly client: RedisClient;
  /** Resolves when the connection, or a duplicate of it, has given up. */
  readonly gaveUp: Promise<QueueConnectionError>;
  private failure: QueueConnectionError | undefined;
  private tell: (failure: QueueConnectionError) => void = () => undefined;
  private hasBeenReady = false;
  private lostAt = 0;
  private lastError: unknown;

  private constructor(
    private readonly address: RedisAddress,
    private readonly patience: number,
    name: string,
  ) {
    this.gaveUp = new Promise((resolve) => {
      this.tell = resolve;
    });
    const { host, port, database, username, password, tls } = address;
    const options: RedisOptions = {
      host,
      port,
      db: database,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls ? { tls: { servername: host } } : {}),
      connectionName: name,
      lazyConnect: true,
      // Duplicates share this: all of them lose and find the same server.
      retryStrategy: (attempts) => this.pauseAfter(attempts),
    };
    this.client = new RedisClient(options, (error) => {
      this.lastError = error;
    });
  }

  /**
   * @param patience milliseconds that the server may be out of reach.
   * @param name shown in the server's list of clients.
   * @throws ConfigurationError for a wrong URL, QueueConnectionError within seconds where nobody answers.
   */
  static async open(url: string, patience: number, name: string): Promise<RedisLink> {
    const address = parseRedisAddress(url);
    const link = new RedisLink(address, patience, name);
    try {
      await link.client.connect();
      // The client goes on in database 0 where there is no such database.
      await link.client.select(address.database);
    } catch (error) {
      await link.close();
      const cause = link.lastError ?? error;
      throw new QueueConnectionError(address.text, messageOf(cause), cause);
    }
    link.hasBeenReady = true;
    link.client.askForLife();
    return link;
  }

  /**
   * Does something that may be done twice, again where it was interrupted by the loss of the connection.
   *
   * @throws QueueConnectionError when the connection has given up.
   */
  async persistently<Result>(action: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (!isInterruption(error)) throw error;
        if (this.failure !== undefined) throw this.failure;
        if (this.client.status === 'end') throw error;
        await setTimeout(100);
      }
    }
  }

  /**
   * Waits so many milliseconds, and gives up where the server does not answer then, however much patience there is.
   *
   * @param signal ends the waiting.
   */
  async giveUpAfter(milliseconds: number, signal: AbortSignal): Promise<void> {
    const over = { signal };
    try {
      await setTimeout(milliseconds, undefined, over);
      const late = setTimeout(longestPause, 'late', over);
      const answer = await Promise.race([this.client.ping().catch(() => 'late'), late]);
      if (answer === 'late')
        this.fail(`no answer within ${longestPause / 1000} s, and no time to wait`, this.lastError);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Ends the connection: when the commands given so far are answered, at once where it is lost. */
  async close(): Promise<void> {
    const { client } = this;
    if (client.status === 'ready') {
      const over = new AbortController();
      const late = setTimeout(longestPause, undefined, { signal: over.signal }).then(
        () => {
          client.disconnect();
        },
        () => undefined,
      );
      await client.quit().catch(() => undefined);
      over.abort();
      await late;
    } else if (client.status !== 'end') {
      client.disconnect();
    }
  }

  /** Milliseconds to wait after so many attempts in a row; null: no more attempts. */
  private pauseAfter(attempts: number): number | null {
    if (!this.hasBeenReady || this.failure !== undefined) return null;
    if (attempts === 1) this.lostAt = performance.now();
    const away = performance.now() - this.lostAt;
    if (away < this.patience) return Math.min(longestPause, 50 * 2 ** (attempts - 1));
    const cause = this.lastError ?? new Error('the server closed it');
    const problem = `the connection was lost and did not come back in ${Math.round(away / 1000)} s (${messageOf(cause)})`;
    this.fail(problem, cause);
    return null;
  }

  private fail(problem: string, cause: unknown): void {
    this.failure ??= new QueueConnectionError(this.address.text, problem, cause);
    this.tell(this.failure);
  }
}

/** Whether the client gave a command up, or a part of several that were sent together, as against the server refusing it. */
function isInterruption(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.message === closedMessage);
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // What Node says of a name with several addresses.
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(messageOf).join('; ');
  if (cause.name === 'ParserError') return 'this is no Redis server: it answers in another language';
  return cause.message.replace(/\.+$/, '');
}
