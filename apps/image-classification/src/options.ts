import type { BadRowPolicy, EvaluationSplit } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import {
  type ComparisonFlags,
  comparisonOf,
  type ComparisonOptions,
  defaultSlots,
  foldersOf,
} from '@dynaprompt/runner';
import type { Dtype } from '@dynaprompt/vision';

import type { AugmentationName } from './augmentation.js';
import { basePromptOf, type ClipChoice, requireMethods } from './clip/choice.js';
import { choiceOf, type ClipFlags, requireClip } from './clip/flags.js';
import { type EmojiClasses, isBundled } from './data/tasks.js';
import { evaluationOf, type SplitName } from './data/load-data.js';
import { packageName } from './package-name.js';

/** Scores that pictures are compared by. */
export const metricNames = ['accuracy', 'mean-per-class-accuracy'] as const;

export type ImageMetricName = (typeof metricNames)[number];

/** What to compare, on which pictures. */
export interface ImageOptions extends ComparisonOptions, ClipChoice {
  /** A folder for each task whose data is not bundled, in the order of the tasks. */
  readonly data: readonly string[];
  readonly split: SplitName | undefined;
  readonly augment: AugmentationName;
  readonly badSamples: BadRowPolicy;
  readonly labelColumn: string | undefined;
  readonly metric: ImageMetricName;
  /** What the classes of openmoji are. */
  readonly classes: EmojiClasses;
  /** Element type of the backbone's weights: which of its files is opened. */
  readonly dtype: Dtype;
}

/** Values of the options of `run`, as commander hands them over. */
export interface RunFlags extends Omit<ComparisonFlags, 'evaluation' | 'slots' | 'basePrompt'>, ClipFlags {
  readonly evaluation?: EvaluationSplit;
  readonly slots?: number;
  readonly data?: string;
  readonly split?: SplitName;
  readonly augment: AugmentationName;
  readonly onBadSample: BadRowPolicy;
  readonly labelColumn?: string;
  readonly metric: ImageMetricName;
  readonly classes: EmojiClasses;
  readonly dtype: Dtype;
}

/** Puts the flags of `run` together. @throws ConfigurationError where they do not go together. */
export function imageOptionsOf(flags: RunFlags): ImageOptions {
  const { split, head, backbone } = flags;
  const isTested = split === 'base-to-novel' || flags.task.every((task) => evaluationOf(task) === 'test');
  if (flags.classes !== 'groups' && !flags.task.some(isBundled)) {
    throw new ConfigurationError({
      packageName,
      subject: `--classes ${flags.classes}`,
      problem: `the classes of ${flags.task.join(', ')} are those of the data`,
      remedy: 'Leave it out, or train on openmoji',
    });
  }
  const choice = choiceOf(flags);
  const basePrompt = head === 'clip' ? basePromptOf(choice, backbone) : undefined;
  const slots = flags.slots ?? basePrompt?.slots ?? defaultSlots;
  const evaluation = flags.evaluation ?? (isTested ? 'test' : 'validation');
  const comparison = { ...comparisonOf({ ...flags, slots, evaluation }), ...(basePrompt && { basePrompt }) };
  requireClip(flags, split);
  if (head === 'clip') requireMethods(choice, comparison);
  return {
    ...comparison,
    ...choice,
    data: foldersOf(flags.task, flags.data),
    split,
    augment: flags.augment,
    badSamples: flags.onBadSample,
    labelColumn: flags.labelColumn,
    metric: flags.metric,
    classes: flags.classes,
    dtype: flags.dtype,
  };
}
