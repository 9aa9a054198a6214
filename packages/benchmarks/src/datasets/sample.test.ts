import { describe, expect, it } from '@jest/globals';
import { groupSample, sampleOf, stratifiedSample } from './sample.js';

/** `sizes[k]` examples of class k, classes mixed. */
function examples(sizes: readonly number[]): { label: number; order: number }[] {
  return sizes
    .flatMap((size, label) => Array.from({ length: size }, (_, index) => ({ label, rank: index / size })))
    .sort((first, second) => first.rank - second.rank)
    .map(({ label }, order) => ({ label, order }));
}

function countsOf(sample: readonly { label: number }[], classes: number): number[] {
  return Array.from(
    { length: classes },
    (_, label) => sample.filter((example) => example.label === label).length,
  );
}

describe('stratifiedSample', () => {
  it('keeps the share of every class', () => {
    expect(countsOf(stratifiedSample(examples([60, 30, 10]), 20, 1), 3)).toEqual([12, 6, 2]);
  });

  it('gives what is left to the largest remainders', () => {
    // Exact shares 5.5, 3.5 and 1: of the two halves the first class wins.
    expect(countsOf(stratifiedSample(examples([55, 35, 10]), 10, 1), 3)).toEqual([6, 3, 1]);
  });

  it('keeps every class where the count allows', () => {
    expect(countsOf(stratifiedSample(examples([997, 2, 1]), 3, 1), 3)).toEqual([1, 1, 1]);
    expect(countsOf(stratifiedSample(examples([997, 2, 1]), 10, 1), 3)).toEqual([8, 1, 1]);
    expect(stratifiedSample(examples([997, 2, 1]), 1, 1)).toHaveLength(1);
  });

  it('draws by seed and keeps the order of the input', () => {
    const all = examples([50, 50]);
    const first = stratifiedSample(all, 20, 1);
    expect(stratifiedSample(all, 20, 1)).toEqual(first);
    expect(stratifiedSample(all, 20, 2)).not.toEqual(first);
    expect(first.map(({ order }) => order)).toEqual(
      first.map(({ order }) => order).toSorted((a, b) => a - b),
    );
    expect(new Set(first.map(({ order }) => order)).size).toBe(20);
  });

  it('gives everything where there is not more', () => {
    const all = examples([2, 2]);
    expect(stratifiedSample(all, 4, 1)).toBe(all);
    expect(stratifiedSample(all, 9, 1)).toBe(all);
  });
});

describe('groupSample', () => {
  const grouped = Array.from({ length: 30 }, (_, order) => ({
    label: 0,
    order,
    group: `${Math.floor(order / 3)}`,
  }));

  it('draws whole groups by seed, in the order of the input', () => {
    const sample = groupSample(grouped, 10, 1);
    expect(sample).toHaveLength(9);
    expect(new Set(sample.map(({ group }) => group)).size).toBe(3);
    expect(sample.map(({ order }) => order)).toEqual(
      sample.map(({ order }) => order).toSorted((a, b) => a - b),
    );
    expect(groupSample(grouped, 10, 1)).toEqual(sample);
    expect(groupSample(grouped, 10, 2)).not.toEqual(sample);
    expect(sampleOf(grouped, 10, 1)).toEqual(sample);
  });

  it('gives everything where there is not more, and refuses less than a group', () => {
    expect(groupSample(grouped, 30, 1)).toBe(grouped);
    expect(() => groupSample(grouped, 2, 1)).toThrow(/limit 2.*Give at least 3/);
  });

  it('is for groups only', () => {
    const plain = examples([6, 4]);
    expect(sampleOf(plain, 5, 1)).toEqual(stratifiedSample(plain, 5, 1));
  });
});
