import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { type LabelledDataset, loadTask, taskNamed } from '@dynaprompt/benchmarks';
import type { StudyOptions } from '@dynaprompt/runner';
import type { Dtype } from '@dynaprompt/text';

/** What a study trains, on which texts. */
export interface GlueStudyOptions extends StudyOptions {
  readonly maxLength: number | null;
  /** Element type of the backbone's weights; absent: fp32. */
  readonly dtype?: Dtype;
}

/** Loads a task of the study, limited as it asks. */
export async function loadStudyTask(
  task: string,
  {
    folders,
    limit,
    validationLimit,
    dataSeed,
  }: Pick<StudyOptions, 'folders' | 'limit' | 'validationLimit' | 'dataSeed'>,
  dataRoot: string,
): Promise<LabelledDataset> {
  const isBundled = taskNamed(task).layout.kind === 'bundled';
  return loadTask(task, isBundled ? undefined : join(dataRoot, folders[task] ?? task), {
    seed: dataSeed,
    ...(limit === null ? {} : { limit }),
    ...(validationLimit === null ? {} : { validationLimit }),
  });
}

/** Hexadecimal SHA-256 of all examples: the same data has the same one, wherever it lies. */
export function fingerprintOf({ labels, train, validation }: LabelledDataset): string {
  const content = JSON.stringify([labels, train, validation], (name, value: unknown) =>
    name === 'id' ? undefined : value,
  );
  return createHash('sha256').update(content).digest('hex');
}
