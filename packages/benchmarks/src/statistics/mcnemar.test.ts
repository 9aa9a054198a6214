import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { mcNemarTest } from './mcnemar.js';

/** `firstOnly` that the first got right alone, and so on, with some that both did alike. */
function answers(firstOnly: number, secondOnly: number): [boolean[], boolean[]] {
  const of = (first: boolean, second: boolean, count: number) =>
    Array.from({ length: count }, () => [first, second] as const);
  const pairs = [
    ...of(true, false, firstOnly),
    ...of(true, true, 7),
    ...of(false, true, secondOnly),
    ...of(false, false, 3),
  ];
  return [pairs.map(([first]) => first), pairs.map(([, second]) => second)];
}

describe('mcNemarTest', () => {
  // With exact fractions: F = fractions.Fraction; pmf = lambda i: F(math.comb(b + c, i), 2 ** (b + c));
  // cdf = sum(pmf(i) for i in range(k + 1)) with k = min(b, c); float(min(1, 2 * cdf)), float(2 * cdf - pmf(k)).
  it.each([
    [1, 9, 0.021484375, 0.01171875],
    [4, 12, 0.076812744140625, 0.049041748046875],
    [0, 5, 0.0625, 0.03125],
    [10, 10, 1, 1],
    [120, 171, 0.0033087986331269037, 0.002777393595138022],
    // 2⁻²⁰⁰⁰ is no number in double precision.
    [900, 1100, 8.457089535503927e-6, 7.656628347757432e-6],
  ])('agrees with exact fractions for %d against %d', (firstOnly, secondOnly, exact, midP) => {
    const result = mcNemarTest(...answers(firstOnly, secondOnly));
    expect(result).toMatchObject({ firstOnly, secondOnly });
    expect(result.exact / exact).toBeCloseTo(1, 10);
    expect(result.midP / midP).toBeCloseTo(1, 10);
    const swapped = mcNemarTest(...answers(secondOnly, firstOnly));
    expect(swapped.midP).toBe(result.midP);
  });

  it('finds nothing where all answers are alike', () => {
    expect(mcNemarTest([true, false], [true, false])).toEqual({
      firstOnly: 0,
      secondOnly: 0,
      exact: 1,
      midP: 1,
    });
  });

  it('refuses lists that cannot be paired', () => {
    expect(() => mcNemarTest([true], [])).toThrow(DataError);
    expect(() => mcNemarTest([], [])).toThrow(DataError);
  });
});
