import { join } from 'node:path';
import { ConfigurationError, DataError, nullThrows } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';
import { readTable } from '../formats/read-table.js';
import type { Table } from '../formats/table.js';
import { examplesOf } from '../rows/examples.js';
import { type BadRowPolicy, badRows, type RowFault, type SkippedRows, skippedRows } from '../rows/faults.js';
import { labelsOf } from '../rows/labels.js';
import type {
  BundledSplits,
  ColumnNames,
  LabelDefinition,
  LabelledExample,
  TaskDefinition,
} from '../types.js';
import { chooseVariant, type EvaluationSplit, filesOf, type Place } from './choose-variant.js';
import type { FolderLayout, SplitSource } from './layout.js';

/** Splits of a data set with the classes they are labelled with. */
export interface LoadedSplits extends BundledSplits {
  readonly labels: readonly LabelDefinition[];
  readonly skipped?: SkippedRows;
}

/** What of a folder is loaded. */
export interface FolderOptions {
  /** Other columns than the layout's. */
  readonly columns: ColumnNames | undefined;
  readonly evaluation: EvaluationSplit;
  readonly badRows: BadRowPolicy;
  /** Whether a split to evaluate on may be missing; it is empty then. */
  readonly trainsAlone: boolean;
}

/** Loads both splits of a task from a folder. Rejects with a `DataError` that names file and line. */
export async function loadFolder(
  task: TaskDefinition,
  layout: FolderLayout,
  folder: string,
  options: FolderOptions,
): Promise<LoadedSplits> {
  const place = await chooseVariant(layout, folder, options.evaluation);
  const { train, [options.evaluation]: evaluation } = place.variant;
  if (evaluation === undefined) throw noTestSplit(task.name);
  const trainTables = await tablesOf(place, train);
  const isAlone = options.trainsAlone && (await filesOf(place, evaluation)).length === 0;
  const evaluationTables = isAlone ? [] : await tablesOf(place, evaluation);
  const [first] = trainTables;
  const column = (options.columns ?? train.columns ?? layout.columns)?.label;
  const isOpen = (task.answer ?? 'class') === 'class' && layout.labels === undefined;
  const labels =
    isOpen && first !== undefined && column !== undefined ? labelsOf(first, column) : (layout.labels ?? []);
  const read = (tables: readonly Table[], source: SplitSource, split: string): Read =>
    readAll(task, layout, labels, tables, source, split, options);
  const trained = read(trainTables, train, 'training');
  const evaluated: Read = isAlone
    ? { examples: [], faults: [] }
    : read(evaluationTables, evaluation, options.evaluation);
  const skipped = skippedRows([...trained.faults, ...evaluated.faults]);
  return {
    labels,
    train: trained.examples,
    validation: evaluated.examples,
    ...(skipped && { skipped }),
  };
}

interface Read {
  readonly examples: readonly LabelledExample[];
  readonly faults: readonly RowFault[];
}

async function tablesOf(place: Place, source: SplitSource): Promise<readonly Table[]> {
  const paths = await filesOf(place, source);
  const { format } = place.variant;
  // A file that is missing is named by its reader.
  const missing = join(place.folder, format === 'parquet' ? `${source.path}.parquet` : source.path);
  return Promise.all((paths.length > 0 ? paths : [missing]).map((path) => readTable(path, format, source)));
}

function readAll(
  task: TaskDefinition,
  layout: FolderLayout,
  labels: readonly LabelDefinition[],
  tables: readonly Table[],
  source: SplitSource,
  split: string,
  options: FolderOptions,
): Read {
  const rules = {
    split: `${split} split of "${task.name}"`,
    mayBeHidden: split === 'test',
    answer: task.answer ?? 'class',
    labels,
    range: layout.range ?? ([-Infinity, Infinity] as const),
    columns: options.columns ?? (source.read ? undefined : (source.columns ?? layout.columns)),
    read: source.read,
  };
  const parts = tables.map((table) => examplesOf(table, rules));
  const examples = parts.flatMap((part) => part.examples);
  const faults = parts.flatMap((part) => part.faults);
  const [first, ...more] = faults;
  if (first !== undefined && options.badRows === 'fail') throw badRows([first, ...more]);
  if (examples.length > 0) return { examples, faults };
  throw new DataError({
    packageName,
    subject: nullThrows(tables[0], 'a split has a file').path,
    problem: `none of its rows can be used; the first is bad: ${first?.problem ?? 'it holds no example'}`,
    remedy: first?.remedy ?? 'Give a file with examples',
  });
}

function noTestSplit(name: string): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: `test split of "${name}"`,
    problem: 'none is known for this task and layout of files',
    remedy: 'Evaluate on the validation split',
  });
}
