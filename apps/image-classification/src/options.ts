import type { BadRowPolicy, EvaluationSplit } from '@dynaprompt/benchmarks';
import { type ComparisonFlags, comparisonOf, type ComparisonOptions, foldersOf } from '@dynaprompt/runner';

import type { AugmentationName } from './augmentation.js';
import { evaluationOf, type SplitName } from './data/load-data.js';

/** Scores that pictures are compared by. */
export const metricNames = ['accuracy', 'mean-per-class-accuracy'] as const;

export type ImageMetricName = (typeof metricNames)[number];

/** What to compare, on which pictures. */
export interface ImageOptions extends ComparisonOptions {
  /** A folder for each task whose data is not bundled, in the order of the tasks. */
  readonly data: readonly string[];
  readonly split: SplitName | undefined;
  readonly augment: AugmentationName;
  readonly badSamples: BadRowPolicy;
  readonly labelColumn: string | undefined;
  readonly metric: ImageMetricName;
}

/** Values of the options of `run`, as commander hands them over. */
export interface RunFlags extends Omit<ComparisonFlags, 'evaluation'> {
  readonly evaluation?: EvaluationSplit;
  readonly data?: string;
  readonly split?: SplitName;
  readonly augment: AugmentationName;
  readonly onBadSample: BadRowPolicy;
  readonly labelColumn?: string;
  readonly metric: ImageMetricName;
}

/** Puts the flags of `run` together. */
export function imageOptionsOf(flags: RunFlags): ImageOptions {
  const fallback = flags.task.every((task) => evaluationOf(task) === 'test') ? 'test' : 'validation';
  return {
    ...comparisonOf({ ...flags, evaluation: flags.evaluation ?? fallback }),
    data: foldersOf(flags.task, flags.data),
    split: flags.split,
    augment: flags.augment,
    badSamples: flags.onBadSample,
    labelColumn: flags.labelColumn,
    metric: flags.metric,
  };
}
