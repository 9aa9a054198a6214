import { describe, expect, it } from '@jest/globals';

import { stream } from '@dynaprompt/core';

import { batchesOfRun, epochOrder, type OrderOptions, stepsPerEpoch } from './order.js';

const lengths = Array.from({ length: 103 }, (_, index) => 1 + ((index * 37) % 50));
const data = { count: lengths.length, lengthOf: (index: number) => lengths[index] ?? 0 };

function order(options: OrderOptions, seed: number): readonly (readonly number[])[] {
  return [...epochOrder(options, stream(seed, 'order'))];
}

describe('epochOrder', () => {
  it('gives every example at most once, in batches of one size', () => {
    const batches = order({ ...data, batch: 8, window: 4 }, 1);
    expect(batches).toHaveLength(12);
    expect(batches.every((batch) => batch.length === 8)).toBe(true);
    expect(new Set(batches.flat()).size).toBe(96);
  });

  it('is the same for the same seed and another for another', () => {
    const options = { ...data, batch: 8, window: 4 };
    expect(order(options, 1)).toEqual(order(options, 1));
    expect(order(options, 1)).not.toEqual(order(options, 2));
  });

  it('batches alike lengths together', () => {
    const padding = (window: number): number =>
      order({ ...data, batch: 8, window }, 3).reduce((sum, batch) => {
        const own = batch.map((index) => lengths[index] ?? 0);
        return sum + Math.max(...own) * own.length - own.reduce((total, length) => total + length, 0);
      }, 0);
    expect(padding(12)).toBeLessThan(padding(1) / 3);
  });

  it('holds all examples in every batch where there are fewer than a batch', () => {
    const options = { count: 3, lengthOf: () => 1, batch: 8, window: 4 };
    expect(order(options, 1).map((batch) => batch.toSorted())).toEqual([[0, 1, 2]]);
    expect(stepsPerEpoch(options)).toBe(1);
  });
});

describe('batchesOfRun', () => {
  const options = { ...data, batch: 8, window: 4 };

  it('begins alike however long the run is', () => {
    expect(batchesOfRun(options, 1, 50).slice(0, 20)).toEqual(batchesOfRun(options, 1, 20));
  });

  it('orders every epoch anew', () => {
    const batches = batchesOfRun(options, 1, 24);
    expect(batches).toHaveLength(24);
    expect(batches.slice(12)).not.toEqual(batches.slice(0, 12));
  });
});
