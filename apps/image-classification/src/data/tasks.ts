import { type ImageDatasetName, imageDatasetNames } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Other spellings of names. */
const aliases: Readonly<Record<string, ImageDatasetName>> = { cifar10: 'cifar-10', cifar100: 'cifar-100' };

/** What the classes of openmoji are: the groups of Unicode's list, their subgroups, or those of them with enough pictures for shots. */
export const emojiClasses = ['groups', 'subgroups', 'concepts'] as const;

export type EmojiClasses = (typeof emojiClasses)[number];

/** What lists say of a data set. */
export interface TaskNote {
  readonly name: ImageDatasetName;
  /** What its folder holds. */
  readonly files: string;
  readonly classes: string;
}

const notes: Readonly<Record<ImageDatasetName, Omit<TaskNote, 'name'>>> = {
  openmoji: {
    files: 'bundled',
    classes: '11 groups of emojis, their 77 subgroups by --subgroups, or 24 concepts',
  },
  'image-folder': { files: 'train/CLASS/…, val/CLASS/…, test/CLASS/…', classes: 'the folders' },
  parquet: { files: 'train-….parquet … as on the Hub', classes: 'those in the files' },
  'cifar-10': { files: 'data_batch_1.bin …', classes: '10' },
  'cifar-100': { files: 'train.bin, test.bin', classes: '100, or 20 by coarse_label' },
  mnist: { files: 'train-images-idx3-ubyte … or .gz', classes: '10 digits' },
  'fashion-mnist': { files: 'train-images-idx3-ubyte … or .gz', classes: '10 kinds of clothes' },
  idx: { files: 'train-images-idx3-ubyte … or .gz', classes: 'the numbers in the files' },
};

/** Every data set, for lists. */
export const taskNotes: readonly TaskNote[] = imageDatasetNames.map((name) => ({ name, ...notes[name] }));

/** The data set of a name. @throws ConfigurationError for a name that is none. */
export function taskNamed(name: string): ImageDatasetName {
  const known = imageDatasetNames.find((candidate) => candidate === (aliases[name] ?? name));
  if (known !== undefined) return known;
  throw new ConfigurationError({
    packageName,
    subject: `task "${name}"`,
    problem: 'there is no task of that name',
    remedy: `Use one of ${imageDatasetNames.join(', ')}`,
  });
}

/** Whether the pictures of a task ship with this application. */
export function isBundled(name: string): boolean {
  return taskNamed(name) === 'openmoji';
}
