import { holm, pairedPermutationTest } from '@dynaprompt/benchmarks';
import { nullThrows } from '@dynaprompt/core';

/** How a row does against its reference, over the seeds that both have finished. */
export interface SeedDifference {
  /** Mean of row − reference. */
  readonly mean: number;
  /** Two-sided, of the paired permutation test over seeds. */
  readonly pValue: number;
  /** Holm-corrected over the rows that are tested together. */
  readonly adjusted: number;
  readonly seeds: number;
}

/** A row of a table. */
interface ScoredRow {
  readonly seeds: readonly number[];
  /** In the order of the seeds. */
  readonly final: readonly number[];
  readonly difference: SeedDifference | null;
}

/**
 * Adds to each row how it does against its reference: null for a reference itself, and where there are no two seeds in common.
 *
 * @param rows those that are tested together.
 * @param referenceOf the one of them that a row is compared with, if any.
 */
export function withDifferences<Row extends ScoredRow>(
  rows: readonly Row[],
  referenceOf: (row: Row) => Row | undefined,
): readonly Row[] {
  const tests = rows.flatMap((row) => {
    const reference = referenceOf(row);
    if (reference === undefined || reference === row) return [];
    const scores = pairsOf(row, reference);
    if (scores.length < 2) return [];
    const { difference, pValue } = pairedPermutationTest(
      scores.map(([own]) => own),
      scores.map(([, other]) => other),
      { seed: 1 },
    );
    return [{ row, mean: difference, pValue, seeds: scores.length }];
  });
  const corrected = holm(tests.map(({ pValue }) => pValue));
  const differences = new Map<Row, SeedDifference>(
    tests.map(({ row, mean, pValue, seeds }, index) => {
      const adjusted = nullThrows(corrected[index], 'every test is corrected');
      return [row, { mean, pValue, adjusted, seeds }];
    }),
  );
  return rows.map((row) => ({ ...row, difference: differences.get(row) ?? null }));
}

/** Scores of the seeds that both have: [row, reference]. */
function pairsOf(row: ScoredRow, reference: ScoredRow): readonly (readonly [number, number])[] {
  return row.seeds.flatMap((seed, index) => {
    const own = row.final[index];
    const other = reference.final[reference.seeds.indexOf(seed)];
    return own === undefined || other === undefined ? [] : [[own, other] as const];
  });
}
