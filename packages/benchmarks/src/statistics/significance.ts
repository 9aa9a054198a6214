import { DataError, nullThrows } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { integerStream } from '../random.js';

/** Outcome of {@link pairedPermutationTest}. */
export interface PermutationResult {
  /** Mean of first − second. */
  readonly difference: number;
  /** Two-sided. */
  readonly pValue: number;
  /** Sign patterns looked at. */
  readonly permutations: number;
  /** Whether these were all that there are. */
  readonly exact: boolean;
}

/** How a {@link pairedPermutationTest} draws. */
export interface PermutationOptions {
  readonly seed: number;
  /** Random sign patterns where there are too many to go through; 10,000 where absent. */
  readonly permutations?: number;
}

/** All sign patterns are gone through up to this many pairs that differ. */
const MOST_EXACT_PAIRS = 16;

/** Differences that rounding alone sets apart count as equal. */
const ROUNDING = 1e-12;

/**
 * Two-sided paired permutation test on the mean difference: under the null hypothesis each pair may be swapped, so each
 * difference may have either sign. p is the share of sign patterns whose mean is at least as far from zero as the one
 * observed; with random patterns (count + 1)/(drawn + 1), which is never zero. Pairs are seeds, or examples.
 */
export function pairedPermutationTest(
  first: readonly number[],
  second: readonly number[],
  options: PermutationOptions,
): PermutationResult {
  if (first.length !== second.length || first.length === 0) {
    throw new DataError({
      packageName,
      subject: 'paired measurements',
      problem: `${first.length} values cannot be paired with ${second.length}`,
      remedy: 'Give both methods the same seeds or the same examples, at least one',
    });
  }
  const differences = first.map((value, index) => value - nullThrows(second[index], 'same length'));
  const observed = differences.reduce((total, difference) => total + difference, 0);
  const threshold = Math.abs(observed) - ROUNDING * Math.max(1, Math.abs(observed));
  // A pair without a difference adds nothing with either sign.
  const moving = differences.filter((difference) => difference !== 0);
  const exact = moving.length <= MOST_EXACT_PAIRS;
  const permutations = exact ? 2 ** moving.length : (options.permutations ?? 10_000);
  const draw = integerStream(options.seed);
  // A bit for each pair: whether its difference changes sign.
  const signs = new Int32Array(Math.ceil(moving.length / 32));
  let asFar = 0;
  for (let pattern = 0; pattern < permutations; pattern += 1) {
    for (let word = 0; word < signs.length; word += 1) signs[word] = exact ? pattern : draw.bits();
    if (Math.abs(signedSum(moving, signs)) >= threshold) asFar += 1;
  }
  return {
    difference: observed / differences.length,
    pValue: exact ? asFar / permutations : (asFar + 1) / (permutations + 1),
    permutations,
    exact,
  };
}

/** Sum of differences, of which those whose bit is set count negative. */
function signedSum(differences: readonly number[], signs: Int32Array): number {
  let total = 0;
  for (let pair = 0; pair < differences.length; pair += 1) {
    const difference = differences[pair] ?? 0;
    total += ((signs[pair >>> 5] ?? 0) & (1 << (pair & 31))) === 0 ? difference : -difference;
  }
  return total;
}

/**
 * Holm's step-down correction for several comparisons: the i-th smallest of m p-values is multiplied by m − i + 1, made no
 * smaller than the one before it, and capped at 1. Returned in the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const adjusted = new Array<number>(pValues.length);
  const ascending = pValues
    .map((pValue, index) => ({ pValue, index }))
    .sort((first, second) => first.pValue - second.pValue);
  let largest = 0;
  ascending.forEach(({ pValue, index }, rank) => {
    largest = Math.max(largest, Math.min(1, pValue * (pValues.length - rank)));
    adjusted[index] = largest;
  });
  return adjusted;
}
