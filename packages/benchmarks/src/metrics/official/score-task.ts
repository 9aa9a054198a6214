import type { LabelledExample } from '../../datasets/types.js';
import { taskNamed } from '../../datasets/tasks.js';
import type { Predictions } from '../metrics.js';
import { type MeasureName, measures } from './measures.js';

/** Official scores of a task, each from 0 (correlations: −1) to 1. */
export interface TaskScores {
  /** Mean of the headline measures; what averages over tasks are made of. */
  readonly score: number;
  readonly measures: Readonly<Partial<Record<MeasureName, number>>>;
}

/**
 * Scores predictions on examples of a task by its official measures. A prediction is the index of a class or of a candidate, or
 * a number, in the order of the examples.
 */
export function scoreTask(
  name: string,
  predicted: Predictions,
  examples: readonly LabelledExample[],
): TaskScores {
  const { headline, also = [] } = taskNamed(name).measures ?? { headline: ['accuracy'] as const };
  const score = (measure: MeasureName): number => measures[measure].score(predicted, examples);
  const heads = headline.map((measure) => [measure, score(measure)] as const);
  return {
    score: heads.reduce((sum, [, value]) => sum + value, 0) / heads.length,
    measures: Object.fromEntries([...heads, ...also.map((measure) => [measure, score(measure)] as const)]),
  };
}
