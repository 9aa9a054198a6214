import { ConfigurationError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import type { EvaluationSplit } from './folders/choose-variant.js';
import { type LoadedSplits, loadFolder } from './folders/load-folder.js';
import { fewShotSplits } from './few-shot.js';
import type { BadRowPolicy } from './rows/faults.js';
import { sampleOf } from './sample.js';
import { taskNamed } from './tasks.js';
import type { ColumnNames, LabelledDataset, TaskDefinition } from './types.js';

/** What of a task is loaded. */
export interface LoadTaskOptions {
  /** Draws the samples that the limits ask for. */
  readonly seed: number;
  /** Most training examples; a class-stratified sample is drawn. All of them where absent. */
  readonly limit?: number;
  /** Most validation examples, drawn in the same way. All of them where absent. */
  readonly validationLimit?: number;
  /**
   * Examples of each class to train on, 1 … 32, and as many others to validate on, both from the training split; the task's own
   * validation split becomes `test`, where there is one. Goes without `limit`.
   */
  readonly shots?: number;
  /** Columns of a task on your own data, or other columns than a task's own. */
  readonly columns?: ColumnNames;
  /** Split that becomes `validation`; labels of test splits are hidden as a rule, which is an error. `validation` by default. */
  readonly evaluation?: EvaluationSplit;
  /** Whether bad rows stop the load (`fail`, the default) or are left out and counted in `skipped`. */
  readonly badRows?: BadRowPolicy;
}

/**
 * Loads a task by name. `folder` holds the files of a task and stays undefined for bundled data. Rejects with a
 * `ConfigurationError` for what was asked, and with a `DataError` that names file and line for what the files hold.
 */
export async function loadTask(
  name: string,
  folder: string | undefined,
  options: LoadTaskOptions,
): Promise<LabelledDataset> {
  const task = taskNamed(name);
  requireLimit('limit', options.limit);
  requireLimit('validationLimit', options.validationLimit);
  if (options.shots !== undefined && options.limit !== undefined) throw bothLimits(options.shots);
  const { labels, skipped, ...splits } = await loadSplits(task, folder, options);
  const names = labels.map((label) => label.name);
  return {
    name: task.name,
    description: task.description,
    license: task.license,
    source: folder === undefined ? task.source : `${task.source} (${folder})`,
    answer: task.answer ?? 'class',
    labels: names,
    ...(task.layout.kind === 'folder' && task.layout.range ? { range: task.layout.range } : {}),
    ...drawn(splits, names, options),
    metric: task.metric,
    ...(task.prompt && { prompt: task.prompt }),
    ...(skipped && { skipped }),
  };
}

/** Samples of the splits, as the options ask for. */
function drawn(
  { train, validation }: Pick<LoadedSplits, 'train' | 'validation'>,
  labels: readonly string[],
  { seed, limit, validationLimit, shots }: LoadTaskOptions,
): Pick<LabelledDataset, 'train' | 'validation' | 'test'> {
  const evaluated = sampleOf(validation, validationLimit ?? validation.length, seed);
  if (shots !== undefined)
    return {
      ...fewShotSplits(train, labels, { shots, seed }),
      ...(evaluated.length > 0 ? { test: evaluated } : {}),
    };
  return { train: sampleOf(train, limit ?? train.length, seed), validation: evaluated };
}

async function loadSplits(
  task: TaskDefinition,
  folder: string | undefined,
  { columns, shots, evaluation = 'validation', badRows = 'fail' }: LoadTaskOptions,
): Promise<LoadedSplits> {
  const { layout } = task;
  if (layout.kind === 'folder') {
    if (folder === undefined) throw missingFolder(task.name);
    if (layout.columns === undefined && layout.fields === undefined && columns === undefined) {
      throw missingColumns(task.name);
    }
    const trainsAlone = shots !== undefined && evaluation === 'validation';
    return loadFolder(task, layout, folder, { columns, evaluation, badRows, trainsAlone });
  }
  if (folder !== undefined || columns !== undefined || evaluation === 'test') {
    const unwanted = folder !== undefined ? `folder (${folder})` : columns ? 'column names' : 'test split';
    throw new ConfigurationError({
      packageName,
      subject: `task "${task.name}"`,
      problem: `its data is bundled, so it takes no ${unwanted}`,
      remedy: 'Leave them out, or use the task "tsv" for data of your own',
    });
  }
  return { labels: layout.labels, ...layout.load() };
}

function missingColumns(name: string): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: `task "${name}"`,
    problem: 'the columns are not named',
    remedy: 'Name the text column and the label column, and the pair column of a pair task',
  });
}

function missingFolder(name: string): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: `task "${name}"`,
    problem: 'the folder with its files is not named',
    remedy: 'Name the folder that holds train.tsv and dev.tsv, or what the task is published as',
  });
}

function bothLimits(shots: number): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: `shots ${shots}`,
    problem: 'a limit of training examples is given too',
    remedy: 'Give one of both; validationLimit may stay',
  });
}

function requireLimit(option: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw new ConfigurationError({
    packageName,
    subject: `${option} ${value}`,
    problem: 'this is not a number of examples',
    remedy: 'Give a whole number of 1 or more, or leave it out for all examples',
  });
}
