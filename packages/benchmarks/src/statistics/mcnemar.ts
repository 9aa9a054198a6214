import { DataError, nullThrows } from '@dynaprompt/core';
import { packageName } from '../package-name.js';

/** Outcome of {@link mcNemarTest}. */
export interface McNemarResult {
  /** Examples that the first alone got right, and the second alone. Those that both did alike say nothing. */
  readonly firstOnly: number;
  readonly secondOnly: number;
  /** Two-sided exact binomial test; never rejects too often, and rejects too seldom for few examples. */
  readonly exact: number;
  /** Two-sided mid-p, to be preferred (Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91). */
  readonly midP: number;
}

/**
 * McNemar's test on whether two methods get the same examples right: of the n examples that one of them alone got right, b and c
 * are Binomial(n, ½) under the null hypothesis. exact = 2·P(X ≤ min(b, c)), capped at 1; mid-p counts P(X = min(b, c)) once only.
 */
export function mcNemarTest(first: readonly boolean[], second: readonly boolean[]): McNemarResult {
  if (first.length !== second.length || first.length === 0) {
    throw new DataError({
      packageName,
      subject: 'answers of two methods',
      problem: `${first.length} answers cannot be paired with ${second.length}`,
      remedy: 'Give the answers of both to the same examples, at least one',
    });
  }
  let firstOnly = 0;
  let secondOnly = 0;
  first.forEach((isRight, index) => {
    if (isRight === nullThrows(second[index], 'same length')) return;
    if (isRight) firstOnly += 1;
    else secondOnly += 1;
  });
  const { point, below } = halfBinomial(Math.min(firstOnly, secondOnly), firstOnly + secondOnly);
  return {
    firstOnly,
    secondOnly,
    exact: Math.min(1, 2 * (below + point)),
    midP: Math.min(1, 2 * below + point),
  };
}

/** P(X = k) and P(X < k) of Binomial(n, ½); from logarithms, as 2⁻ⁿ is too small a number for large n. */
function halfBinomial(k: number, n: number): { readonly point: number; readonly below: number } {
  let logPoint = -n * Math.LN2;
  for (let i = 1; i <= k; i += 1) logPoint += Math.log((n - k + i) / i);
  const point = Math.exp(logPoint);
  let below = 0;
  let term = point;
  for (let i = k; i > 0; i -= 1) {
    term *= i / (n - i + 1);
    below += term;
  }
  return { point, below };
}
