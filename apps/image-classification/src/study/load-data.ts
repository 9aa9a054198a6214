import { join } from 'node:path';

import type { EvaluationSplit } from '@dynaprompt/benchmarks';
import type { StudyOptions } from '@dynaprompt/runner';
import type { Dtype } from '@dynaprompt/vision';

import type { AugmentationName } from '../augmentation.js';
import type { ClipChoice } from '../clip/choice.js';
import { loadData, type ScoredDataset, type SplitName } from '../data/load-data.js';
import { type EmojiClasses, isBundled } from '../data/tasks.js';
import type { ImageMetricName } from '../options.js';

/** What a study trains, on which pictures. */
export interface ImageStudyOptions extends StudyOptions, ClipChoice {
  readonly augment: AugmentationName;
  readonly metric: ImageMetricName;
  /** Split of the final scores; null: that of the task. */
  readonly evaluation: EvaluationSplit | null;
  /** Null: `few-shot` where there are shots, else `full`. */
  readonly split: SplitName | null;
  readonly shots: number | null;
  /** Of openmoji. */
  readonly classes: EmojiClasses;
  /** Element type of the backbone's weights; absent: fp32. */
  readonly dtype?: Dtype;
}

/** Loads a task of the study, limited as it asks. */
export function loadStudyData(
  task: string,
  { folders, limit, validationLimit, dataSeed, evaluation, split, shots, classes }: ImageStudyOptions,
  dataRoot: string,
): Promise<ScoredDataset> {
  const folder = isBundled(task) ? undefined : join(dataRoot, folders[task] ?? task);
  return loadData(
    { name: task, folder },
    {
      split: split ?? undefined,
      shots: shots ?? undefined,
      limit: limit ?? undefined,
      validationLimit: validationLimit ?? undefined,
      dataSeed,
      evaluation: evaluation ?? (split === 'base-to-novel' ? 'test' : undefined),
      badSamples: 'fail',
      labelColumn: undefined,
      classes,
    },
  );
}
