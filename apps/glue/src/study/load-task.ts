import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { type LabelledDataset, loadTask, taskNamed } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import { dataSeed, type StudyOptions } from '@dynaprompt/runner';

import { packageName } from '../package-name.js';

/** What a study trains, on which texts. */
export interface GlueStudyOptions extends StudyOptions {
  readonly maxLength: number | null;
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

/** Hexadecimal SHA-256 of all examples: the same data has the same one, wherever it lies. */
export function fingerprintOf({ labels, train, validation }: LabelledDataset): string {
  const content = JSON.stringify([labels, train, validation], (name, value: unknown) =>
    name === 'id' ? undefined : value,
  );
  return createHash('sha256').update(content).digest('hex');
}
