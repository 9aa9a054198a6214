import { stratifiedSample } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import type { TrainingExample } from '@dynaprompt/training';

import { defaultDataSeed } from '../options/comparison.js';
import type { TaskSet } from '../domain.js';
import { packageName } from '../package-name.js';

/** The training examples without those that learning rates are chosen on, and these. */
export interface TuningSplit<Example> {
  readonly train: readonly TrainingExample<Example>[];
  readonly validation: readonly TrainingExample<Example>[];
}

/** Holds out a class-stratified part of the training examples. @throws ConfigurationError where nothing would be left. */
export function tuningSplit<Example>(
  { name, train }: Pick<TaskSet<Example>, 'name' | 'train'>,
  holdout: number,
): TuningSplit<Example> {
  const count = holdout < 1 ? Math.round(holdout * train.length) : holdout;
  if (count < 1 || count >= train.length) {
    throw new ConfigurationError({
      packageName,
      subject: `--holdout ${holdout}`,
      problem: `it would take ${count} of the ${train.length} training examples of ${name}`,
      remedy: 'Leave some to train on, and some to choose learning rates on',
    });
  }
  const validation = stratifiedSample(train, count, defaultDataSeed);
  const held = new Set(validation);
  return { train: train.filter((example) => !held.has(example)), validation };
}
