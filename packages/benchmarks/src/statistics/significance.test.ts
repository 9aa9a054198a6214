import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { holm, pairedPermutationTest } from './significance.js';

describe('pairedPermutationTest', () => {
  it('is exact for few pairs', () => {
    // Differences .02 .03 −.005 .04 .02 .01: of 64 sign patterns only ±.115 and ±.125 reach the observed sum .115, so
    // p = 4/64; scipy.stats.permutation_test(permutation_type='samples') gives the same.
    const first = [0.91, 0.93, 0.9, 0.95, 0.92, 0.94];
    const second = [0.89, 0.9, 0.905, 0.91, 0.9, 0.93];
    const result = pairedPermutationTest(first, second, { seed: 1 });
    expect(result.difference).toBeCloseTo(0.11499999999999989 / 6, 12);
    expect(result).toMatchObject({ pValue: 0.0625, permutations: 64, exact: true });
  });

  it('comes close to the exact value by drawing', () => {
    // scipy.stats.permutation_test over all 2^20 sign patterns: 0.5621681213378906.
    const differences = [
      0.43, 0.17, 0.94, 0.4, -0.24, 0.66, 1.6, 1.25, -0.4, -0.97, -0.32, 0.34, -2.03, 0.08, -0.95, -0.43,
      -0.24, -0.02, 0.71, 1.34,
    ];
    const zeros = differences.map(() => 0);
    const result = pairedPermutationTest(differences, zeros, { seed: 7, permutations: 20_000 });
    expect(result.exact).toBe(false);
    // Three standard errors of a share of 0.56 in 20,000 draws are 0.0105.
    expect(Math.abs(result.pValue - 0.5621681213378906)).toBeLessThan(0.0105);
    expect(pairedPermutationTest(differences, zeros, { seed: 7, permutations: 20_000 })).toEqual(result);
  });

  it('never claims certainty from draws', () => {
    const first = Array.from({ length: 40 }, () => 1);
    const result = pairedPermutationTest(
      first,
      first.map(() => 0),
      { seed: 3, permutations: 999 },
    );
    expect(result.pValue).toBe(0.001);
  });

  it('is exact for many pairs of which few differ', () => {
    // sum(abs(sum(s * x for s, x in zip(signs, d))) >= 10 for signs in itertools.product((1, -1), repeat=8)) of 256,
    // where d are the differences that are not zero.
    const differences = [3, 0, 1, -1, 2, 2, 0, -1, 3, 1, ...Array.from({ length: 30 }, () => 0)];
    const zeros = differences.map(() => 0);
    const result = pairedPermutationTest(differences, zeros, { seed: 1 });
    expect(result).toMatchObject({ difference: 0.25, pValue: 26 / 256, permutations: 256, exact: true });
  });

  it('finds no difference between equal lists', () => {
    expect(pairedPermutationTest([0.5, 0.6], [0.5, 0.6], { seed: 1 }).pValue).toBe(1);
  });

  it('refuses lists that cannot be paired', () => {
    expect(() => pairedPermutationTest([1, 2], [1], { seed: 1 })).toThrow(DataError);
    expect(() => pairedPermutationTest([], [], { seed: 1 })).toThrow(DataError);
  });
});

describe('holm', () => {
  it('steps down and keeps the order given', () => {
    // Sorted .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04, the last raised to .06; R's p.adjust(method = "holm").
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((expected, index) => {
      expect(adjusted[index]).toBeCloseTo(expected, 14);
    });
  });

  it('caps at 1 and leaves a single value alone', () => {
    expect(holm([0.6, 0.9])).toEqual([1, 1]);
    expect(holm([0.2])).toEqual([0.2]);
    expect(holm([])).toEqual([]);
  });
});
