import { nullThrows } from '@dynaprompt/core';
import { confidenceInterval, summarize } from '../statistics/summary.js';
import type { LearningCurve, MethodResult } from './schema.js';

/** What one run of a method with one seed left behind. */
export interface SeedRun extends LearningCurve {
  /** Wall-clock seconds. */
  readonly seconds: number;
}

/** Sums up the runs of a method: the last and the best validation score of each seed, mean, spread and interval. */
export function methodResult(runs: readonly SeedRun[], trainableParameters: number): MethodResult {
  const scores = runs.map((run) => run.validation.map((point) => point.value));
  const final = scores.map((values) => nullThrows(values.at(-1), 'every run ends with a validation'));
  const { mean, std } = summarize(final);
  return {
    seeds: runs.map((run) => run.seed),
    final,
    best: scores.map((values) => Math.max(...values)),
    mean,
    std,
    confidence: confidenceInterval(final),
    trainableParameters,
    seconds: runs.map((run) => run.seconds),
    curves: runs.map(({ seed, loss, validation }) => ({ seed, loss, validation })),
  };
}
