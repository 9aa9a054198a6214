import type { IRedisTransaction } from 'bullmq';

import type { RedisConnection } from './connection.js';
import { type Argument, type Reply, ReplyError } from './protocol.js';

/** A script that the server keeps. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
  readonly numberOfKeys: number;
}

/** Commands that are given together; `atomic`: between MULTI and EXEC. */
export class Transaction implements IRedisTransaction {
  private readonly commands: {
    readonly words: readonly Argument[];
    readonly read: (reply: Reply) => unknown;
  }[] = [];

  constructor(
    private readonly connection: RedisConnection,
    private readonly scripts: ReadonlyMap<string, Script>,
    private readonly atomic: boolean,
  ) {}

  hgetall(key: string): this {
    return this.add(['HGETALL', key], recordOf);
  }

  hset(key: string, data: Record<string, string | number>): this {
    return this.add(['HSET', key, ...Object.entries(data).flat()]);
  }

  hscan(key: string, cursor: string | number, options?: { COUNT?: number }): this {
    return this.add(['HSCAN', key, cursor, ...countOf(options)]);
  }

  smembers(key: string): this {
    return this.add(['SMEMBERS', key]);
  }

  sscan(key: string, cursor: string | number, options?: { COUNT?: number }): this {
    return this.add(['SSCAN', key, cursor, ...countOf(options)]);
  }

  zrange(key: string, start: number, end: number): this {
    return this.add(['ZRANGE', key, start, end]);
  }

  lrange(key: string, start: number, end: number): this {
    return this.add(['LRANGE', key, start, end]);
  }

  llen(key: string): this {
    return this.add(['LLEN', key]);
  }

  del(...keys: string[]): this {
    return keys.length === 0 ? this : this.add(['DEL', ...keys]);
  }

  runCommand(name: string, given: readonly unknown[]): this {
    const { lua, words } = scriptCall(this.scripts, name, given);
    // A server that was started anew knows no scripts, and a transaction cannot ask twice.
    return this.add(['EVAL', lua, ...words]);
  }

  async exec(): Promise<[Error | null, unknown][] | null> {
    const { commands, connection } = this;
    if (!this.atomic) {
      const replies = commands.map(({ words }) =>
        connection.call(...words).catch((error: unknown) => {
          if (error instanceof ReplyError) return error;
          throw error;
        }),
      );
      return this.read(await Promise.all(replies));
    }
    const begun = connection.call('MULTI');
    const queued = commands.map(({ words }) => connection.call(...words));
    const done = connection.call('EXEC');
    // What is wrong with a queued command shows in EXEC too.
    await Promise.allSettled([begun, ...queued]);
    const replies = await done;
    return replies === null ? null : this.read(replies as readonly Reply[]);
  }

  private read(replies: readonly Reply[]): [Error | null, unknown][] {
    return replies.map((reply, index): [Error | null, unknown] =>
      reply instanceof ReplyError ? [reply, null] : [null, this.commands[index]?.read(reply)],
    );
  }

  private add(words: readonly Argument[], read: (reply: Reply) => unknown = (reply) => reply): this {
    this.commands.push({ words, read });
    return this;
  }
}

/** The words of a script's call behind its name: number of keys, keys, arguments. */
export function scriptCall(
  scripts: ReadonlyMap<string, Script>,
  name: string,
  given: readonly unknown[],
): Script & { readonly words: readonly Argument[] } {
  const script = scripts.get(name);
  if (script === undefined) throw new Error(`internal: there is no script ${name}`);
  const values = given.length === 1 && Array.isArray(given[0]) ? (given[0] as readonly unknown[]) : given;
  // Nothing is an empty word, so that the others keep their places.
  const words = values.map((value) => (value ?? '') as Argument);
  return { ...script, words: [script.numberOfKeys, ...words] };
}

/** `[field, value, …]` as an object. */
export function recordOf(reply: Reply): Record<string, string> {
  const flat = reply as readonly string[];
  const pairs = Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(2 * index, 2 * index + 2));
  return Object.fromEntries(pairs.map(([field = '', value = '']) => [field, value]));
}

function countOf(options: { COUNT?: number } | undefined): readonly Argument[] {
  return options?.COUNT === undefined ? [] : ['COUNT', options.COUNT];
}
