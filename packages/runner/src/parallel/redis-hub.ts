import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { hashOf } from '../process/hash.js';
import { RankLostError } from './errors.js';
import type { RankHub } from './launch.js';

/** A command of a Redis server, and what it is given. */
export type RedisCommand = [name: string, ...words: (string | number | Buffer)[]];

/** What a hub needs of a Redis server; calls may be repeated. */
export interface KeyStore {
  call(...command: RedisCommand): Promise<unknown>;
  /** Texts of the answer as bytes. */
  callBuffer(...command: RedisCommand): Promise<unknown>;
}

export interface RedisHubOptions {
  /** The rank that this hub speaks for. */
  readonly rank: number;
  readonly size: number;
  /** Name that all ranks of a run give. */
  readonly group: string;
  /** Milliseconds that ranks may take to come at the start. */
  readonly patience: number;
  /** Milliseconds without a sign of life after which a rank is taken to be gone. Default 15 s. */
  readonly silence?: number;
  /** Ends the waiting at the start. */
  readonly signal?: AbortSignal;
}

/** Milliseconds after which the server forgets what nobody has cleared away. */
const forgotten = 3_600_000;
const pause = 5;

/**
 * Joins ranks on several machines through a Redis server: every message is a key of its own, which all ranks read. Ranks of an earlier
 * run with the same name are never mistaken for those of this one: at the start all ranks agree on a session.
 */
export class RedisHub implements RankHub {
  private beat: NodeJS.Timeout | undefined;

  private constructor(
    private readonly store: KeyStore,
    private readonly options: RedisHubOptions,
    /** Prefix of all keys of the session. */
    private readonly session: string,
  ) {}

  get size(): number {
    return this.options.size;
  }

  /** Waits for all ranks. @throws RankLostError naming the first that does not come. */
  static async join(store: KeyStore, options: RedisHubOptions): Promise<RedisHub> {
    const prefix = `dynaprompt:ranks:${options.group}`;
    const session = await agree(store, options, prefix);
    const hub = new RedisHub(store, options, `${prefix}:${session}`);
    await hub.live();
    return hub;
  }

  async offer(rank: number, round: number, message: Uint8Array): Promise<readonly Uint8Array[]> {
    const { store, session, size } = this;
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    await store.call('SET', `${session}:${round}:${rank}`, bytes, 'PX', forgotten);
    const messages: Uint8Array[] = [];
    for (let other = 0; other < size; other++) {
      messages.push(other === rank ? message : await this.messageOf(other, round));
    }
    // Whoever has come this far has read everything of the round before.
    if (round > 0) await store.call('DEL', `${session}:${round - 1}:${rank}`);
    return messages;
  }

  async lose(rank: number, how: string): Promise<void> {
    clearInterval(this.beat);
    await this.store.call('SET', `${this.session}:lost:${rank}`, how, 'PX', forgotten);
  }

  /** Stops to show signs of life; for a rank that has finished. */
  leave(): void {
    clearInterval(this.beat);
  }

  /** Shows signs of life from now on. */
  private async live(): Promise<void> {
    const { rank, silence = 15_000 } = this.options;
    const sign = (): Promise<unknown> =>
      this.store.call('SET', `${this.session}:alive:${rank}`, 1, 'PX', silence);
    await sign();
    this.beat = setInterval(() => {
      sign().catch(() => undefined);
    }, silence / 3);
  }

  private async messageOf(rank: number, round: number): Promise<Uint8Array> {
    const { store, session } = this;
    const { silence = 15_000 } = this.options;
    let seen = Date.now();
    for (let looks = 1; ; looks++) {
      const found = await store.callBuffer('GET', `${session}:${round}:${rank}`);
      if (found instanceof Uint8Array) return found;
      if (looks % 20 === 0) {
        const how = await store.call('GET', `${session}:lost:${rank}`);
        if (typeof how === 'string') throw new RankLostError(rank, how);
        if ((await store.call('EXISTS', `${session}:alive:${rank}`)) === 1) seen = Date.now();
        // A server that was started anew may have forgotten the sign: the next one is due soon.
        if (Date.now() - seen > silence) {
          throw new RankLostError(rank, `no sign of life for ${Math.round(silence / 1000)} s`);
        }
      }
      await setTimeout(pause);
    }
  }
}

/** Name of a session that all ranks of this run, and no others, know: rank 0 waits for the others, and lists who came. */
async function agree(
  store: KeyStore,
  { rank, size, patience, signal }: RedisHubOptions,
  prefix: string,
): Promise<string> {
  const own = randomUUID();
  const ranks = Array.from({ length: size }, (_, index) => index);
  const deadline = Date.now() + patience;
  let absent = 0;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    await store.call('SET', `${prefix}:hello:${rank}`, own, 'PX', 2000);
    const hellos = await Promise.all(ranks.map((other) => store.call('GET', `${prefix}:hello:${other}`)));
    const missing = hellos.findIndex((hello) => hello === null);
    if (missing >= 0) absent = missing;
    else if (rank === 0) {
      await store.call('SET', `${prefix}:start`, JSON.stringify(hellos), 'PX', forgotten);
      return hashOf(hellos);
    }
    const start = await store.call('GET', `${prefix}:start`);
    if (rank > 0 && typeof start === 'string') {
      const listed = JSON.parse(start) as readonly string[];
      if (listed.length === size && listed[rank] === own) return hashOf(listed);
    }
    await setTimeout(50);
  }
  const who = rank === 0 || absent !== rank ? absent : 0;
  throw new RankLostError(who, `it did not come within ${Math.round(patience / 1000)} s`);
}
