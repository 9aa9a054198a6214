import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { readTsv } from './read-tsv.js';
import { stratifiedSample } from './sample.js';
import { examplesOf, labelsOf } from './tsv-examples.js';
import { taskNamed } from './tasks.js';
import type {
  BundledSplits,
  ColumnNames,
  LabelDefinition,
  LabelledDataset,
  TaskDefinition,
  TsvLayout,
} from './types.js';

/** What of a task is loaded. */
export interface LoadTaskOptions {
  /** Draws the samples that the limits ask for. */
  readonly seed: number;
  /** Most training examples; a class-stratified sample is drawn. All of them where absent. */
  readonly limit?: number;
  /** Most validation examples, drawn in the same way. All of them where absent. */
  readonly validationLimit?: number;
  /** Columns of the task `tsv`, or other columns than a task's own. */
  readonly columns?: ColumnNames;
}

/** Splits of a data set with the classes they are labelled with. */
interface LoadedSplits extends BundledSplits {
  readonly labels: readonly LabelDefinition[];
}

/**
 * Loads a task by name. `folder` holds the files of a tab-separated task and stays undefined for bundled data. Rejects with
 * a `ConfigurationError` for what was asked, and with a `DataError` that names file and line for what the files hold.
 */
export async function loadTask(
  name: string,
  folder: string | undefined,
  options: LoadTaskOptions,
): Promise<LabelledDataset> {
  const task = taskNamed(name);
  requireLimit('limit', options.limit);
  requireLimit('validationLimit', options.validationLimit);
  const { labels, train, validation } = await loadSplits(task, folder, options.columns);
  return {
    name: task.name,
    description: task.description,
    license: task.license,
    source: folder === undefined ? task.source : `${task.source} (${folder})`,
    labels: labels.map((label) => label.name),
    train: stratifiedSample(train, options.limit ?? train.length, options.seed),
    validation: stratifiedSample(validation, options.validationLimit ?? validation.length, options.seed),
    metric: task.metric,
    ...(task.prompt && { prompt: task.prompt }),
  };
}

async function loadSplits(
  task: TaskDefinition,
  folder: string | undefined,
  columns: ColumnNames | undefined,
): Promise<LoadedSplits> {
  const { layout } = task;
  if (layout.kind === 'tsv') {
    if (folder === undefined) throw missingFolder(task.name);
    return loadTsvSplits(task.name, layout, folder, columns ?? layout.columns);
  }
  if (folder !== undefined || columns !== undefined) {
    throw new ConfigurationError({
      packageName,
      subject: `task "${task.name}"`,
      problem: `its data is bundled, so it takes no ${folder === undefined ? 'column names' : `folder (${folder})`}`,
      remedy: 'Leave them out, or use the task "tsv" for data of your own',
    });
  }
  return { labels: layout.labels, ...layout.load() };
}

async function loadTsvSplits(
  name: string,
  layout: TsvLayout,
  folder: string,
  columns: ColumnNames | undefined,
): Promise<LoadedSplits> {
  if (columns === undefined) {
    throw new ConfigurationError({
      packageName,
      subject: `task "${name}"`,
      problem: 'the columns are not named',
      remedy: 'Name the text column and the label column, and the pair column of a pair task',
    });
  }
  await requireFolder(folder);
  const [train, validation] = await Promise.all([
    readTsv(join(folder, layout.files.train)),
    readTsv(join(folder, layout.files.validation)),
  ]);
  const labels = layout.labels ?? labelsOf(train, columns.label);
  return {
    labels,
    train: examplesOf(train, columns, labels),
    validation: examplesOf(validation, columns, labels),
  };
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new DataError({
    packageName,
    subject: folder,
    problem: found ? 'this is not a folder' : 'the folder does not exist',
    remedy: 'Name the folder that holds train.tsv and dev.tsv',
  });
}

function missingFolder(name: string): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: `task "${name}"`,
    problem: 'the folder with its files is not named',
    remedy: 'Name the folder that holds train.tsv and dev.tsv',
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
