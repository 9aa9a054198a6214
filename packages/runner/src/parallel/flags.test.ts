import { describe, expect, it } from '@jest/globals';

import { parallelOf } from './flags.js';

describe('parallelOf', () => {
  it('is one process unless more are asked for, here or elsewhere', () => {
    expect(parallelOf({})).toEqual({});
    expect(parallelOf({ dataParallel: 1 })).toEqual({});
    expect(parallelOf({ dataParallel: 3 })).toEqual({ parallel: { size: 3 } });
    expect(parallelOf({ dataParallel: 3, rank: 2, queue: 'redis://a', group: 'mine' })).toEqual({
      parallel: { size: 3, remote: { rank: 2, url: 'redis://a', group: 'mine' } },
    });
  });

  it.each([
    [{ rank: 0 }, /one process only/],
    [{ dataParallel: 2, rank: 0 }, /--queue is missing/],
    [{ dataParallel: 2, queue: 'redis://a' }, /--rank is missing/],
    [{ dataParallel: 2, rank: 2, queue: 'redis://a' }, /there are 2 ranks/],
  ])('refuses %j', (flags, message) => {
    expect(() => parallelOf(flags)).toThrow(message);
  });
});
