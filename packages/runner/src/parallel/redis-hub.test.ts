import { setTimeout } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { RankLostError } from './errors.js';
import { type KeyStore, type RedisCommand, RedisHub, type RedisHubOptions } from './redis-hub.js';

/** The four commands that a hub gives, with keys that are forgotten in time. */
class MemoryStore implements KeyStore {
  readonly keys = new Map<string, { readonly value: Uint8Array; readonly until: number }>();

  async call(...command: RedisCommand): Promise<unknown> {
    const reply = await this.callBuffer(...command);
    return reply instanceof Uint8Array ? Buffer.from(reply).toString() : reply;
  }

  callBuffer(...[command, key = '', value = '', , expiry]: RedisCommand): Promise<unknown> {
    const name = `${typeof key === 'object' ? 'bytes' : key}`;
    const entry = this.keys.get(name);
    const found = entry !== undefined && entry.until > Date.now() ? entry.value : null;
    switch (command) {
      case 'SET': {
        const bytes = typeof value === 'object' ? value : Buffer.from(String(value));
        this.keys.set(name, { value: bytes, until: Date.now() + Number(expiry) });
        return Promise.resolve('OK');
      }
      case 'GET':
        return Promise.resolve(found);
      case 'EXISTS':
        return Promise.resolve(found === null ? 0 : 1);
      case 'DEL':
        return Promise.resolve(this.keys.delete(name) ? 1 : 0);
      default:
        throw new Error(`unexpected ${JSON.stringify(command)}`);
    }
  }
}

const text = (words: string): Uint8Array => Buffer.from(words);

function join(store: KeyStore, size: number, changes: Partial<RedisHubOptions> = {}): Promise<RedisHub>[] {
  return Array.from({ length: size }, (_, rank) =>
    RedisHub.join(store, { rank, size, group: 'run', patience: 5000, ...changes }),
  );
}

describe('RedisHub', () => {
  it('gives every rank the messages of all, and clears them away', async () => {
    const store = new MemoryStore();
    const hubs = await Promise.all(join(store, 3));
    for (let round = 0; round < 4; round++) {
      const gathered = await Promise.all(
        hubs.map((hub, rank) => hub.offer(rank, round, text(`${rank} of ${round}`))),
      );
      for (const messages of gathered) {
        expect(messages.map((message) => Buffer.from(message).toString())).toEqual(
          [0, 1, 2].map((rank) => `${rank} of ${round}`),
        );
      }
    }
    for (const hub of hubs) hub.leave();
    const rounds = [...store.keys.keys()].filter((key) => /:\d+:\d+$/.test(key));
    expect(rounds.map((key) => key.replace(/.*:(\d+:\d+)$/, '$1')).sort()).toEqual(['3:0', '3:1', '3:2']);
  });

  it('does not take an earlier run of that name for this one', async () => {
    const store = new MemoryStore();
    const before = await Promise.all(join(store, 2));
    await Promise.all(before.map((hub, rank) => hub.offer(rank, 0, text('old'))));
    for (const hub of before) hub.leave();
    const after = await Promise.all(join(store, 2));
    // Rank 1 comes late, when rank 0 has looked for its message already.
    const early = after[0]?.offer(0, 0, text('new'));
    await setTimeout(30);
    const gathered = [await after[1]?.offer(1, 0, text('new')), await early];
    for (const hub of after) hub.leave();
    for (const messages of gathered)
      expect(messages?.map((message) => Buffer.from(message).toString())).toEqual(['new', 'new']);
  });

  it('names a rank that has said that it is lost, one that is silent, and one that never came', async () => {
    const store = new MemoryStore();
    const [first, second] = await Promise.all(join(store, 2));
    await second?.lose(1, 'ended by SIGKILL');
    await expect(first?.offer(0, 0, text('a'))).rejects.toMatchObject({ rank: 1, how: 'ended by SIGKILL' });
    first?.leave();

    const [waiting, silent] = await Promise.all(join(new MemoryStore(), 2, { silence: 100 }));
    silent?.leave();
    await expect(waiting?.offer(0, 0, text('a'))).rejects.toMatchObject({
      rank: 1,
      how: expect.stringMatching(/no sign of life/),
    });
    waiting?.leave();

    const alone = RedisHub.join(new MemoryStore(), { rank: 0, size: 3, group: 'run', patience: 100 });
    await expect(alone).rejects.toThrow(RankLostError);
    await expect(alone).rejects.toMatchObject({ rank: 1, how: expect.stringMatching(/did not come/) });
  });

  it('stops waiting for the others when it is told to', async () => {
    const stop = new AbortController();
    const options = { rank: 0, size: 2, group: 'run', patience: 60_000, signal: stop.signal };
    const alone = RedisHub.join(new MemoryStore(), options);
    stop.abort(new Error('enough'));
    await expect(alone).rejects.toThrow('enough');
  });
});
