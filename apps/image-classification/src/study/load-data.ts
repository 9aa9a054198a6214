import { join } from 'node:path';

import type { EvaluationSplit } from '@dynaprompt/benchmarks';
import type { StudyOptions } from '@dynaprompt/runner';

import type { AugmentationName } from '../augmentation.js';
import { loadData, type ScoredDataset } from '../data/load-data.js';
import { isBundled } from '../data/tasks.js';
import type { ImageMetricName } from '../options.js';

/** What a study trains, on which pictures. */
export interface ImageStudyOptions extends StudyOptions {
  readonly augment: AugmentationName;
  readonly metric: ImageMetricName;
  /** Split of the final scores; null: that of the task. */
  readonly evaluation: EvaluationSplit | null;
}

/** Loads a task of the study, limited as it asks. */
export function loadStudyData(
  task: string,
  { folders, limit, validationLimit, evaluation }: ImageStudyOptions,
  dataRoot: string,
): Promise<ScoredDataset> {
  const folder = isBundled(task) ? undefined : join(dataRoot, folders[task] ?? task);
  return loadData(
    { name: task, folder },
    {
      split: 'full',
      shots: undefined,
      limit: limit ?? undefined,
      validationLimit: validationLimit ?? undefined,
      evaluation: evaluation ?? undefined,
      badSamples: 'fail',
      labelColumn: undefined,
      classes: 'groups',
    },
  );
}
