import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import type { IRedisClient, IRedisTransaction } from 'bullmq';

import type { RedisAddress } from '../address.js';
import { type ConnectionOptions, RedisConnection } from './connection.js';
import { type Reply, ReplyError } from './protocol.js';
import { recordOf, type Script, scriptCall, Transaction } from './transaction.js';

/** The commands that BullMQ gives, in the words of Redis: what it needs of a driver, and no more. */
export class RedisClient extends RedisConnection implements IRedisClient {
  readonly isCluster = false;
  readonly options: Record<string, unknown> = {};
  private readonly scripts = new Map<string, Script>();

  constructor(address: RedisAddress, options: ConnectionOptions) {
    super(address, options);
    // Loss and recovery are told by `close`, `ready` and `end`.
    this.on('error', () => undefined);
  }

  duplicate(changes: { readonly connectionName?: string } = {}): RedisClient {
    const { connectionOptions, address } = this;
    const copy = new RedisClient(address, { ...connectionOptions, name: changes.connectionName });
    for (const [name, script] of this.scripts) copy.scripts.set(name, script);
    void copy.connect().catch((error: unknown) => copy.emit('error', error));
    return copy;
  }

  defineCommand(name: string, { lua, numberOfKeys }: { numberOfKeys: number; lua: string }): void {
    this.scripts.set(name, { lua, numberOfKeys, sha: createHash('sha1').update(lua).digest('hex') });
  }

  async runCommand(name: string, given: readonly unknown[]): Promise<Reply> {
    const { lua, sha, words } = scriptCall(this.scripts, name, given);
    try {
      return await this.call('EVALSHA', sha, ...words);
    } catch (error) {
      if (!(error instanceof ReplyError) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.call('EVAL', lua, ...words);
    }
  }

  multi(): IRedisTransaction {
    return new Transaction(this, this.scripts, true);
  }

  pipeline(): IRedisTransaction {
    return new Transaction(this, this.scripts, false);
  }

  async hgetall(key: string): Promise<Record<string, string>> {
    return recordOf(await this.call('HGETALL', key));
  }

  hget(key: string, field: string): Promise<string | null> {
    return this.call('HGET', key, field) as Promise<string | null>;
  }

  hmget(key: string, ...fields: string[]): Promise<(string | null)[]> {
    return this.call('HMGET', key, ...fields) as Promise<(string | null)[]>;
  }

  hset(key: string, data: Record<string, string | number>): Promise<number> {
    return this.call('HSET', key, ...Object.entries(data).flat()) as Promise<number>;
  }

  hdel(key: string, ...fields: string[]): Promise<number> {
    return this.call('HDEL', key, ...fields) as Promise<number>;
  }

  hexists(key: string, field: string): Promise<number> {
    return this.call('HEXISTS', key, field) as Promise<number>;
  }

  get(key: string): Promise<string | null> {
    return this.call('GET', key) as Promise<string | null>;
  }

  set(
    key: string,
    value: string | number,
    { PX, EX }: { PX?: number; EX?: number } = {},
  ): Promise<string | null> {
    const expiry = PX !== undefined ? ['PX', PX] : EX !== undefined ? ['EX', EX] : [];
    return this.call('SET', key, value, ...expiry) as Promise<string | null>;
  }

  async del(...keys: string[]): Promise<number> {
    return keys.length === 0 ? 0 : ((await this.call('DEL', ...keys)) as number);
  }

  zrange(key: string, start: number, end: number, options?: { WITHSCORES?: boolean }): Promise<string[]> {
    return this.call('ZRANGE', key, start, end, ...withScores(options)) as Promise<string[]>;
  }

  zrevrange(key: string, start: number, end: number, options?: { WITHSCORES?: boolean }): Promise<string[]> {
    return this.call('ZREVRANGE', key, start, end, ...withScores(options)) as Promise<string[]>;
  }

  zcard(key: string): Promise<number> {
    return this.call('ZCARD', key) as Promise<number>;
  }

  zscore(key: string, member: string): Promise<string | null> {
    return this.call('ZSCORE', key, member) as Promise<string | null>;
  }

  lrange(key: string, start: number, end: number): Promise<string[]> {
    return this.call('LRANGE', key, start, end) as Promise<string[]>;
  }

  llen(key: string): Promise<number> {
    return this.call('LLEN', key) as Promise<number>;
  }

  ltrim(key: string, start: number, end: number): Promise<string> {
    return this.call('LTRIM', key, start, end) as Promise<string>;
  }

  lpos(key: string, value: string): Promise<number | null> {
    return this.call('LPOS', key, value) as Promise<number | null>;
  }

  smembers(key: string): Promise<string[]> {
    return this.call('SMEMBERS', key) as Promise<string[]>;
  }

  xadd(
    key: string,
    id: string,
    fields: Record<string, string | number>,
    { MAXLEN, approximate }: { MAXLEN?: number; approximate?: boolean } = {},
  ): Promise<string> {
    const most = MAXLEN === undefined ? [] : ['MAXLEN', ...(approximate === false ? [] : ['~']), MAXLEN];
    return this.call('XADD', key, ...most, id, ...Object.entries(fields).flat()) as Promise<string>;
  }

  xread(
    streams: { key: string; id: string }[],
    { BLOCK, COUNT }: { BLOCK?: number; COUNT?: number } = {},
  ): Promise<Reply> {
    const options = [
      ...(COUNT === undefined ? [] : ['COUNT', COUNT]),
      ...(BLOCK === undefined ? [] : ['BLOCK', BLOCK]),
    ];
    const keys = streams.map(({ key }) => key);
    return this.call('XREAD', ...options, 'STREAMS', ...keys, ...streams.map(({ id }) => id));
  }

  xtrim(
    key: string,
    strategy: 'MAXLEN',
    threshold: number,
    { approximate }: { approximate?: boolean } = {},
  ): Promise<number> {
    const how = approximate === false ? [] : ['~'];
    return this.call('XTRIM', key, strategy, ...how, threshold) as Promise<number>;
  }

  bzpopmin(key: string, timeout: number): Promise<[key: string, member: string, score: string] | null> {
    return this.call('BZPOPMIN', key, timeout) as Promise<[string, string, string] | null>;
  }

  info(): Promise<string> {
    return this.call('INFO') as Promise<string>;
  }

  clientSetName(name: string): Promise<Reply> {
    return this.call('CLIENT', 'SETNAME', name);
  }

  clientList(): Promise<string> {
    return this.call('CLIENT', 'LIST') as Promise<string>;
  }

  clientInfo(): Promise<string> {
    return this.call('CLIENT', 'INFO') as Promise<string>;
  }

  scan(
    cursor: string | number,
    { MATCH, COUNT }: { MATCH?: string; COUNT?: number },
  ): Promise<[string, string[]]> {
    const options = [
      ...(MATCH === undefined ? [] : ['MATCH', MATCH]),
      ...(COUNT === undefined ? [] : ['COUNT', COUNT]),
    ];
    return this.call('SCAN', cursor, ...options) as Promise<[string, string[]]>;
  }

  scanStream({ match, count }: { match: string; count?: number }): Readable {
    const scan = async function* (client: RedisClient): AsyncGenerator<string[]> {
      let cursor = '0';
      do {
        const [next, keys] = await client.scan(cursor, {
          MATCH: match,
          ...(count === undefined ? {} : { COUNT: count }),
        });
        cursor = next;
        yield keys;
      } while (cursor !== '0');
    };
    return Readable.from(scan(this));
  }
}

function withScores(options: { WITHSCORES?: boolean } | undefined): string[] {
  return options?.WITHSCORES === true ? ['WITHSCORES'] : [];
}
