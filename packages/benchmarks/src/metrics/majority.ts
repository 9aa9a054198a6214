import { nullThrows } from '@dynaprompt/core';
import { metrics, type MetricName } from './metrics.js';

/** What always saying the most frequent training class scores on the validation split. */
export interface MajorityBaseline {
  /** Index of that class. */
  readonly label: number;
  readonly score: number;
}

/**
 * Score of the answer that is most frequent in training; the lowest class index wins a tie.
 *
 * @param creditsOf [validation] what that answer earns, where answers are not just right or wrong.
 */
export function majorityBaseline(
  train: ArrayLike<number>,
  validation: ArrayLike<number>,
  metric: MetricName,
  creditsOf?: (label: number) => ArrayLike<number>,
): MajorityBaseline {
  const counts = new Map<number, number>();
  for (const label of Array.from(train)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const ranked = [...counts].sort(([label, count], [other, times]) => times - count || label - other);
  const [label] = nullThrows(ranked[0], 'a training split is never empty');
  const always = new Int32Array(validation.length).fill(label);
  return { label, score: metrics[metric].score(always, validation, creditsOf?.(label)) };
}
