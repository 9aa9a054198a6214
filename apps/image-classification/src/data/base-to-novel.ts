import type { LabelledImage } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { ScoredDataset } from './load-data.js';

/** Classes that are not trained on, with the pictures that they are scored on. */
export interface NovelClasses {
  readonly classes: readonly string[];
  /** Labels count from the first novel class. */
  readonly examples: readonly LabelledImage[];
}

/** Number of base classes: the first half, with the middle one. */
export function baseCount({ classes }: Pick<ScoredDataset, 'classes'>): number {
  return Math.ceil(classes.length / 2);
}

/** Without the training pictures of novel classes, which nothing may see. */
export function withoutNovelTraining(data: ScoredDataset): ScoredDataset {
  const count = baseCount(data);
  return { ...data, train: data.train.filter(({ label }) => label < count) };
}

/**
 * Base to novel (Zhou et al. 2022b): the first half of the classes is trained on and scored, the pictures of the others are set apart.
 *
 * @throws ConfigurationError where there are not two classes in each half.
 */
export function baseToNovel(data: ScoredDataset): ScoredDataset {
  const { classes, description, train, validation } = withoutNovelTraining(data);
  const count = baseCount(data);
  if (classes.length - count < 2) {
    throw new ConfigurationError({
      packageName,
      subject: '--split base-to-novel',
      problem: `${data.name} has ${classes.length} classes, and each half needs two`,
      remedy: 'Give more classes, or use --split few-shot',
    });
  }
  const novel = validation.filter(({ label }) => label >= count);
  return {
    ...data,
    description: `${description} The first ${count} of ${classes.length} classes are trained on and scored, the others are novel.`,
    classes: classes.slice(0, count),
    train,
    validation: validation.filter(({ label }) => label < count),
    novel: {
      classes: classes.slice(count),
      examples: novel.map((picture) => ({ ...picture, label: picture.label - count })),
    },
  };
}
