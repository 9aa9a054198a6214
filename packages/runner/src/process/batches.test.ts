import { describe, expect, it } from '@jest/globals';

import { inBatches } from './batches.js';

/** A source that gives groups when it is told to. */
class Tap {
  private readonly waiting: ((result: IteratorResult<readonly number[]>) => void)[] = [];
  private readonly ready: IteratorResult<readonly number[]>[] = [];

  give(...group: readonly number[]): void {
    this.put({ done: false, value: group });
  }

  close(): void {
    this.put({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly number[]> {
    return {
      next: () => {
        const result = this.ready.shift();
        if (result !== undefined) return Promise.resolve(result);
        return new Promise((resolve) => this.waiting.push(resolve));
      },
    };
  }

  private put(result: IteratorResult<readonly number[]>): void {
    const resolve = this.waiting.shift();
    if (resolve === undefined) this.ready.push(result);
    else resolve(result);
  }
}

describe('inBatches', () => {
  it('keeps the order, and fills every batch but the last', async () => {
    const tap = new Tap();
    tap.give(1);
    tap.give(2, 3, 4, 5, 6);
    tap.give();
    tap.give(7);
    tap.close();
    const batches: (readonly number[])[] = [];
    for await (const batch of inBatches(tap, 3)) batches.push(batch);
    expect(batches).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  it('gives a full batch while the source stays open', async () => {
    const tap = new Tap();
    const batches = inBatches(tap, 2);
    tap.give(1, 2, 3);
    expect(await batches.next()).toEqual({ done: false, value: [1, 2] });
  });

  it('gives what there is when the source pauses, and loses nothing that comes later', async () => {
    const tap = new Tap();
    const batches = inBatches(tap, 10, 1);
    tap.give(1);
    expect(await batches.next()).toEqual({ done: false, value: [1] });
    tap.give(2);
    tap.give(3);
    expect(await batches.next()).toEqual({ done: false, value: [2, 3] });
    tap.close();
    expect((await batches.next()).done).toBe(true);
  });

  it('passes on why a source failed', async () => {
    // eslint-disable-next-line @typescript-eslint/require-await -- a source that fails at its second group
    async function* failing(): AsyncGenerator<readonly number[]> {
      yield [1];
      throw new Error('torn');
    }
    const batches = inBatches(failing(), 1);
    expect(await batches.next()).toEqual({ done: false, value: [1] });
    await expect(batches.next()).rejects.toThrow('torn');
  });
});
