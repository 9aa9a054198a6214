import { describe, expect, it } from '@jest/globals';

import { usageOf } from './usage.js';

const batches = [
  {
    position: Int32Array.of(0, 2),
    length: Int32Array.of(1, 1),
    weights: Float32Array.of(0.75, 0.25, 0, 0.5, 0.125, 0.375),
  },
  { position: Int32Array.of(2), length: Int32Array.of(0), weights: Float32Array.of(0, 0.25, 0.75) },
];

describe('usageOf', () => {
  it('counts what was chosen and sums up the pool', () => {
    expect(usageOf({ positions: 4, lengths: 3, pool: 3 }, batches)).toEqual({
      positions: [1, 0, 2, 0],
      lengths: [1, 2, 0],
      pool: {
        topShare: [2 / 3, 0, 1 / 3],
        meanWeight: [1.25 / 3, 0.625 / 3, 1.125 / 3],
      },
    });
  });

  it('leaves out what is not learned', () => {
    expect(usageOf({ positions: 4, lengths: undefined, pool: undefined }, batches)).toEqual({
      positions: [1, 0, 2, 0],
      lengths: undefined,
      pool: undefined,
    });
    expect(usageOf({ positions: undefined, lengths: undefined, pool: undefined }, batches)).toBeUndefined();
    expect(usageOf(undefined, [])).toBeUndefined();
  });
});
