import {
  type BadRowPolicy,
  type EvaluationSplit,
  hubPicturePathsOf,
  type ImageProtocol,
  type LabelledImageDataset,
  loadImages,
} from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import { bundledModels } from '@dynaprompt/mini-models';
import type { TaskFolder } from '@dynaprompt/runner';
import { openDataFolder } from '@dynaprompt/vision';

import { packageName } from '../package-name.js';
import { baseToNovel, type NovelClasses, withoutNovelTraining } from './base-to-novel.js';
import { type EmojiClasses, isBundled, taskNamed } from './tasks.js';
import { usablePictures } from './usable-pictures.js';

/** How pictures are chosen: all of them, VTAB-1k's thousand, or K of each class, or K of the first half of the classes. */
export const splitNames = ['full', 'vtab', 'few-shot', 'base-to-novel'] as const;

export type SplitName = (typeof splitNames)[number];

/** What lists say of a way to choose pictures. */
export interface SplitNote {
  readonly name: SplitName;
  /** Pictures that are trained on, and those that are scored, by `--evaluation`. */
  readonly train: string;
  readonly validation: string;
  readonly test: string;
}

/** Every way to choose pictures, for lists. */
export const splitNotes: readonly SplitNote[] = [
  {
    name: 'full',
    train: 'the training split, or --limit of it',
    validation: 'the validation split, or a tenth of the training split',
    test: 'the test split',
  },
  {
    name: 'vtab',
    train: '800 pictures; 1,000 with --evaluation test',
    validation: '200 others',
    test: 'the test split',
  },
  {
    name: 'few-shot',
    train: '--shots of each class',
    validation: 'as many again, at most 4 of each class',
    test: 'the test split',
  },
  {
    name: 'base-to-novel',
    train: '--shots of each class of the first half',
    validation: 'as few-shot, the other half apart',
    test: 'the test split, the other half apart',
  },
];

/** What of a data set is loaded. */
export interface DataOptions {
  /** Absent: `few-shot` where there are shots, else `full`. */
  readonly split: SplitName | undefined;
  readonly shots: number | undefined;
  readonly limit: number | undefined;
  readonly validationLimit: number | undefined;
  /** Draws the pictures that are kept. */
  readonly dataSeed: number;
  /** Split that scores are taken on; absent: {@link evaluationOf} of the task. */
  readonly evaluation: EvaluationSplit | undefined;
  readonly badSamples: BadRowPolicy;
  readonly labelColumn: string | undefined;
  /** Of openmoji. */
  readonly classes: EmojiClasses;
}

/** Pictures to train on and pictures to score. */
export interface ScoredDataset extends Omit<LabelledImageDataset, 'test'> {
  /** Classes that are not trained on, of base-to-novel. */
  readonly novel?: NovelClasses;
}

/** Where scores are taken by default: mini-clip has seen all pictures of OpenMoji but those of the test split. */
export function evaluationOf(task: string): EvaluationSplit {
  return isBundled(task) ? 'test' : 'validation';
}

/**
 * Loads a data set, with the split that is scored as `validation`.
 *
 * @throws ConfigurationError where options do not go together, or there is no such split.
 * @throws DataError naming the first bad picture, unless those are skipped.
 */
export async function loadData(
  { name, folder }: TaskFolder,
  options: DataOptions,
  signal?: AbortSignal,
): Promise<ScoredDataset> {
  const { badSamples, classes, labelColumn, validationLimit } = options;
  const evaluation = options.evaluation ?? evaluationOf(name);
  const protocol = protocolOf(options, evaluation);
  const task = taskNamed(name);
  const place: { readonly folder: string | undefined; readonly id?: string } =
    task === 'parquet' && folder !== undefined ? await openDataFolder(folder, hubPicturePathsOf) : { folder };
  const loaded = await loadImages(task, place.folder, {
    seed: options.dataSeed,
    protocol,
    badRows: badSamples,
    heldOut: bundledModels['mini-clip'].heldOut,
    by: classes,
    from: import.meta.url,
    ...(labelColumn === undefined ? {} : { label: labelColumn }),
    ...(evaluation === 'test' && validationLimit !== undefined && protocol.kind !== 'vtab-1k'
      ? { testLimit: validationLimit }
      : {}),
  });
  // A folder of the cache is called after its commit.
  const named = place.id === undefined ? loaded : { ...loaded, name: place.id };
  const chosen = scored(named, protocol, evaluation);
  if (options.split !== 'base-to-novel') return usablePictures(chosen, badSamples, signal);
  return baseToNovel(await usablePictures(withoutNovelTraining(chosen), badSamples, signal));
}

function scored(
  { test, ...data }: LabelledImageDataset,
  protocol: ImageProtocol,
  evaluation: EvaluationSplit,
): ScoredDataset {
  // The final part of VTAB-1k has put the test split there already.
  if (evaluation === 'validation' || protocol.kind === 'vtab-1k') return data;
  if (test !== undefined) return { ...data, validation: test };
  throw unusable('--evaluation test', `${data.name} has no test split`, 'Use --evaluation validation');
}

function protocolOf(
  { split, shots, limit, validationLimit }: DataOptions,
  evaluation: EvaluationSplit,
): ImageProtocol {
  const name = split ?? (shots === undefined ? 'full' : 'few-shot');
  const kind = name === 'base-to-novel' ? 'few-shot' : name;
  if (kind !== 'few-shot' && shots !== undefined)
    throw unusable(`--shots ${shots}`, `--split ${kind} takes none`, 'Use --split few-shot');
  if (kind !== 'full' && limit !== undefined)
    throw unusable(`--limit ${limit}`, `--split ${name} says how many pictures train`, 'Leave it out');
  if (validationLimit !== undefined && !(kind === 'full' || (kind === 'few-shot' && evaluation === 'test')))
    throw unusable(
      `--validation-limit ${validationLimit}`,
      `--split ${name} says how many pictures are scored`,
      'Leave it out',
    );
  if (kind === 'vtab') return { kind: 'vtab-1k', part: evaluation === 'test' ? 'final' : 'tuning' };
  if (kind === 'full') {
    return {
      kind: 'whole',
      ...(limit === undefined ? {} : { limit }),
      ...(validationLimit === undefined ? {} : { validationLimit }),
    };
  }
  if (shots === undefined) {
    throw unusable(`--split ${name}`, 'the number of shots is missing', 'Name it with --shots, such as 16');
  }
  return { kind: 'few-shot', shots };
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
