import { describe, expect, it } from '@jest/globals';

import { type SeedDifference, withDifferences } from './difference.js';

interface Row {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly final: readonly number[];
  readonly difference: SeedDifference | null;
}

function row(name: string, scores: Readonly<Record<number, number>>): Row {
  const seeds = Object.keys(scores).map(Number);
  return { name, seeds, final: Object.values(scores), difference: null };
}

const reference = row('reference', { 1: 0.5, 2: 0.6, 3: 0.7, 4: 0.8 });

describe('withDifferences', () => {
  it('pairs scores by seed, tests them, and corrects over the tests that there are', () => {
    const rows = withDifferences(
      [
        // 0.1 each: 2 of the 2⁴ sign flips are as far from 0; Holm: 3 · 0.125.
        row('better', { 1: 0.6, 2: 0.7, 3: 0.8, 4: 0.9 }),
        reference,
        // −0.1, −0.2, −0.3, and a seed that the reference does not have: 2 of 2³; 2 · 0.25.
        row('worse', { 2: 0.5, 3: 0.5, 4: 0.5, 9: 1 }),
        // +0.3 and −0.1: all of ±0.4 and ±0.2 are as far from 0 as 0.2.
        row('either', { 1: 0.8, 4: 0.7 }),
        row('single', { 1: 0.9 }),
        row('without seeds in common', { 7: 0.9, 8: 0.9 }),
      ],
      () => reference,
    );
    expect(rows.map(({ name, difference }) => [name, difference])).toEqual([
      ['better', { mean: expect.closeTo(0.1, 12), pValue: 0.125, adjusted: 0.375, seeds: 4 }],
      ['reference', null],
      ['worse', { mean: expect.closeTo(-0.2, 12), pValue: 0.25, adjusted: 0.5, seeds: 3 }],
      ['either', { mean: expect.closeTo(0.1, 12), pValue: 1, adjusted: 1, seeds: 2 }],
      ['single', null],
      ['without seeds in common', null],
    ]);
  });

  it('does not go by the order of the seeds', () => {
    // 0.1 and 0.3: 2 of 4 sign flips are as far from 0. By place they would be 0.4 and 0, where all are.
    const turned = { ...row('turned', {}), seeds: [2, 1], final: [0.9, 0.6] };
    const [compared] = withDifferences([turned], () => reference);
    const mean: unknown = expect.closeTo(0.2, 12);
    expect(compared?.difference).toEqual({ mean, pValue: 0.5, adjusted: 0.5, seeds: 2 });
  });

  it('takes a reference for each row', () => {
    const other = row('other reference', { 1: 0.9, 2: 0.9 });
    const rows = withDifferences([row('a', { 1: 0.6, 2: 0.7 }), row('b', { 1: 0.7, 2: 0.7 })], ({ name }) =>
      name === 'a' ? reference : other,
    );
    expect(rows.map(({ difference }) => difference?.mean)).toEqual([
      expect.closeTo(0.1, 12),
      expect.closeTo(-0.2, 12),
    ]);
    expect(withDifferences(rows, () => undefined).map(({ difference }) => difference)).toEqual([null, null]);
  });
});
