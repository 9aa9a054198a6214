import { type VqaDatasetName, vqaDatasetNames } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** What lists say of a data set. */
export interface TaskNote {
  readonly name: string;
  /** What its folder holds. */
  readonly files: string;
  readonly score: string;
}

const notes: Readonly<Record<VqaDatasetName, TaskNote>> = {
  scenes: { name: 'scenes', files: 'drawn on first use', score: 'VQA accuracy' },
  'vqa-v2': {
    name: 'vqav2',
    files: 'v2_OpenEnded_mscoco_…_questions.json, v2_mscoco_…_annotations.json, train2014/, val2014/',
    score: 'VQA accuracy',
  },
  'ok-vqa': {
    name: 'okvqa',
    files: 'OpenEnded_mscoco_…_questions.json, mscoco_…_annotations.json, train2014/, val2014/',
    score: 'VQA accuracy',
  },
  gqa: { name: 'gqa', files: 'train_balanced_questions.json …, images/', score: 'exact match' },
  clevr: { name: 'clevr', files: 'questions/CLEVR_train_questions.json …, images/', score: 'exact match' },
  parquet: {
    name: 'parquet',
    files: 'train-….parquet … as on the Hub, pictures inside',
    score: 'that of its answers',
  },
};

/** Every data set, for lists. */
export const taskNotes: readonly TaskNote[] = Object.values(notes);

/** The data set of a name; names of the papers and of the readers are both known. @throws ConfigurationError for others. */
export function taskNamed(name: string): VqaDatasetName {
  const known = vqaDatasetNames.find((candidate) => candidate === name || notes[candidate].name === name);
  if (known !== undefined) return known;
  throw new ConfigurationError({
    packageName,
    subject: `task "${name}"`,
    problem: 'there is no task of that name',
    remedy: `Use one of ${taskNotes.map((note) => note.name).join(', ')}`,
  });
}

/** Whether the pictures of a task come with this application. */
export function isBundled(name: string): boolean {
  return taskNamed(name) === 'scenes';
}
