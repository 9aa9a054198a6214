import { ConfigurationError, DataError } from '@dynaprompt/core';
import type { BadRowPolicy } from '../datasets/rows/faults.js';
import { packageName } from '../package-name.js';
import { integerStream, shuffled } from '../random.js';
import { readClevr } from './readers/clevr.js';
import { readGqa } from './readers/gqa.js';
import { readVqaParquet } from './readers/parquet.js';
import { readVqaFolder } from './readers/vqa-folder.js';
import type { VqaCollection, VqaDataset, VqaEntry } from './types.js';

/** Data sets and formats of questions, in the order in which lists show them. */
export const vqaDatasetNames = ['scenes', 'vqa-v2', 'ok-vqa', 'gqa', 'clevr', 'parquet'] as const;

/** A data set or format of questions by name. */
export type VqaDatasetName = (typeof vqaDatasetNames)[number];

/** What is drawn from a collection of questions. */
export interface VqaSplitOptions {
  readonly seed: number;
  /** Most training questions; all of them where absent. */
  readonly limit?: number;
  readonly validationLimit?: number;
  readonly testLimit?: number;
  /** Share of the pictures whose questions validate, of a set without two splits to train and validate on; 0.1 where absent. */
  readonly validationShare?: number;
}

/** What of a data set of questions is loaded. */
export interface LoadVqaOptions extends VqaSplitOptions {
  /** Whether questions that cannot be used stop the load (`fail`, the default) or are left out. */
  readonly badRows?: BadRowPolicy;
}

/**
 * Loads a data set of questions by name from the folder with its files. Rejects with a `ConfigurationError` for what was asked, and
 * with a `DataError` that names the file for what the files hold.
 */
export async function loadVqa(
  name: string,
  folder: string | undefined,
  options: LoadVqaOptions,
): Promise<VqaDataset> {
  const known = vqaDatasetNames.find((candidate) => candidate === name);
  const subject = `data set "${name}"`;
  if (known === undefined) {
    throw unusable(subject, 'there is no data set of that name', `Use one of ${vqaDatasetNames.join(', ')}`);
  }
  if (folder === undefined) {
    throw unusable(
      subject,
      'the folder with its files is not named',
      known === 'scenes'
        ? 'Write the scenes first, with writeScenes'
        : 'Name the folder that holds its files',
    );
  }
  switch (known) {
    case 'scenes':
    case 'vqa-v2':
    case 'ok-vqa':
      return splitVqa(await readVqaFolder(folder, known, options), options);
    case 'gqa':
      return splitVqa(await readGqa(folder, options), options);
    case 'clevr':
      return splitVqa(await readClevr(folder, options), options);
    case 'parquet':
      return splitVqa(await readVqaParquet(folder, options), options);
  }
}

/**
 * Draws questions from a collection, with equal chances and in their order, and reads their pictures; the others are not read. The
 * same seed draws the same questions. A collection with answers in its training or its validation split alone is divided by pictures,
 * so that no picture is on both sides. Rejects with a `ConfigurationError` for a limit that is no number of questions.
 */
export async function splitVqa<Entry extends VqaEntry>(
  collection: VqaCollection<Entry>,
  options: VqaSplitOptions,
): Promise<VqaDataset> {
  const { splits, examples, ...facts } = collection;
  const divided = dividedOf(splits, facts.name, options);
  const drawn = (entries: readonly Entry[], limit: keyof VqaSplitOptions) =>
    examples(sample(entries, options[limit], limit, options.seed));
  return {
    ...facts,
    ...(divided.isCut && { description: `${facts.description} A share of the pictures validates.` }),
    train: await drawn(divided.train, 'limit'),
    validation: await drawn(divided.validation, 'validationLimit'),
    ...(splits.test && { test: await drawn(splits.test, 'testLimit') }),
  };
}

function dividedOf<Entry extends VqaEntry>(
  { train, validation }: VqaCollection<Entry>['splits'],
  name: string,
  { validationShare = 0.1, seed }: VqaSplitOptions,
): { readonly train: readonly Entry[]; readonly validation: readonly Entry[]; readonly isCut: boolean } {
  if (train && validation) return { train, validation, isCut: false };
  const all = train ?? validation;
  if (all === undefined) {
    throw new DataError({
      packageName,
      subject: `data set "${name}"`,
      problem: 'it has no split to train on',
      remedy: 'Give the files of its training or validation split',
    });
  }
  if (!(validationShare > 0 && validationShare < 1)) {
    throw unusable(
      `validationShare ${validationShare}`,
      'this is not a share of the pictures',
      'Give a number between 0 and 1',
    );
  }
  const pictures = shuffled([...new Set(all.map(({ imageId }) => imageId))], integerStream(seed));
  const count = Math.max(1, Math.round(pictures.length * validationShare));
  if (pictures.length <= count) {
    throw new DataError({
      packageName,
      subject: `data set "${name}"`,
      problem: `it has ${pictures.length} pictures to train and to validate on`,
      remedy: 'Give more pictures, or a smaller validationShare',
    });
  }
  const held = new Set(pictures.slice(0, count));
  return {
    train: all.filter(({ imageId }) => !held.has(imageId)),
    validation: all.filter(({ imageId }) => held.has(imageId)),
    isCut: true,
  };
}

function sample<Entry>(
  entries: readonly Entry[],
  limit: number | undefined,
  option: string,
  seed: number,
): readonly Entry[] {
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw unusable(
      `${option} ${limit}`,
      'this is not a number of questions',
      'Give a whole number of 1 or more',
    );
  }
  if (limit === undefined || entries.length <= limit) return entries;
  const order = shuffled([...entries.keys()], integerStream(seed)).slice(0, limit);
  return order.sort((first, second) => first - second).flatMap((index) => entries[index] ?? []);
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
