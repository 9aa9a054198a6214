import { createHash } from 'node:crypto';
import { join } from 'node:path';

import {
  type LabelledDataset,
  type LabelledExample,
  loadTask,
  stratifiedSample,
  taskNamed,
} from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { StudyOptions } from './options.js';

/** Draws the samples that limits ask for, and what is held out; the same ones for every method and seed. */
const dataSeed = 1;

/** The training examples without those that learning rates are chosen on, and these. */
export interface TuningSplit {
  readonly train: readonly LabelledExample[];
  readonly validation: readonly LabelledExample[];
}

/** Loads a task of the study, limited as it asks. @throws ConfigurationError for a task without classes. */
export async function loadStudyTask(
  task: string,
  { folders, limit, validationLimit }: Pick<StudyOptions, 'folders' | 'limit' | 'validationLimit'>,
  dataRoot: string,
): Promise<LabelledDataset> {
  const isBundled = taskNamed(task).layout.kind === 'bundled';
  const data = await loadTask(task, isBundled ? undefined : join(dataRoot, folders[task] ?? task), {
    seed: dataSeed,
    ...(limit === null ? {} : { limit }),
    ...(validationLimit === null ? {} : { validationLimit }),
  });
  requireClasses(data);
  return data;
}

/** @throws ConfigurationError for a task whose answer is a number or one of the example's own candidates. */
export function requireClasses({ name, labels }: Pick<LabelledDataset, 'name' | 'labels'>): void {
  if (labels.length > 0) return;
  throw new ConfigurationError({
    packageName,
    subject: `task "${name}"`,
    problem: 'its answers are no classes, which is what a study trains',
    remedy: 'Leave it out of --tasks',
  });
}

/** Holds out a class-stratified part of the training examples. @throws ConfigurationError where nothing would be left. */
export function tuningSplit({ name, train }: LabelledDataset, holdout: number): TuningSplit {
  const count = holdout < 1 ? Math.round(holdout * train.length) : holdout;
  if (count < 1 || count >= train.length) {
    throw new ConfigurationError({
      packageName,
      subject: `--holdout ${holdout}`,
      problem: `it would take ${count} of the ${train.length} training examples of ${name}`,
      remedy: 'Leave some to train on, and some to choose learning rates on',
    });
  }
  const validation = stratifiedSample(train, count, dataSeed);
  const held = new Set(validation);
  return { train: train.filter((example) => !held.has(example)), validation };
}

/** Hexadecimal SHA-256 of all examples: the same data has the same one, wherever it lies. */
export function fingerprintOf({ labels, train, validation }: LabelledDataset): string {
  const content = JSON.stringify([labels, train, validation], (name, value: unknown) =>
    name === 'id' ? undefined : value,
  );
  return createHash('sha256').update(content).digest('hex');
}
