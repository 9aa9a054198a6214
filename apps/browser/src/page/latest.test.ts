import { describe, expect, it } from '@jest/globals';

import { latest } from './latest.js';

describe('latest', () => {
  it('drops what is out of date, and never runs two at once', async () => {
    const seen: number[] = [];
    const ends: (() => void)[] = [];
    let running = 0;
    const run = latest<number>(async (value) => {
      running++;
      expect(running).toBe(1);
      seen.push(value);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
    });
    const all = [run(1), run(2), run(3)];
    ends.shift()?.();
    while (ends.length === 0) await Promise.resolve();
    ends.shift()?.();
    await Promise.all(all);
    expect(seen).toEqual([1, 3]);
    const last = run(4);
    ends.shift()?.();
    await last;
    expect(seen).toEqual([1, 3, 4]);
  });

  it('goes on after a failure', async () => {
    const run = latest<boolean>((isBad) => (isBad ? Promise.reject(new Error('bad')) : Promise.resolve()));
    await expect(run(true)).rejects.toThrow('bad');
    await expect(run(false)).resolves.toBeUndefined();
  });
});
