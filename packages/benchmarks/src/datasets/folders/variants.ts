import type { ColumnNames, LabelDefinition } from '../types.js';
import type { RowReader } from '../rows/row-reader.js';
import type { FolderVariant, SplitSource } from './layout.js';

/** What all splits of a variant have in common. */
type Shared = Omit<SplitSource, 'path'>;

/** Tab-separated files as GLUE's archives hold them, in a folder of that name. */
export function glueFiles(within: string, shared: Shared = {}, test: Shared = shared): FolderVariant {
  return {
    format: 'tsv',
    within,
    train: { path: 'train.tsv', ...shared },
    validation: { path: 'dev.tsv', ...shared },
    test: { path: 'test.tsv', ...test },
  };
}

/** JSON lines as SuperGLUE's archives hold them, in a folder of that name. */
export function superGlueFiles(within: string, shared: Shared = {}): FolderVariant {
  return {
    format: 'jsonl',
    within,
    train: { path: 'train.jsonl', ...shared },
    validation: { path: 'val.jsonl', ...shared },
    test: { path: 'test.jsonl', ...shared },
  };
}

/** Parquet files as the Hub holds a configuration of a data set: `CONFIGURATION/SPLIT-00000-of-00001.parquet`. */
export function hubFiles(
  within: string,
  shared: Shared = {},
  validation = 'validation',
  test = 'test',
): FolderVariant {
  return {
    format: 'parquet',
    within,
    train: { path: 'train', ...shared },
    validation: { path: validation, ...shared },
    test: { path: test, ...shared },
  };
}

/** Labels of names that files write, and of class indices in that order that the Hub writes instead. */
export function namedLabels(...values: readonly string[]): readonly LabelDefinition[] {
  return values.map((value, index) => ({ value, name: value.replaceAll('_', ' '), aliases: [`${index}`] }));
}

/** Labels that files write as 0, 1, …, by the names that they stand for. */
export function numberedLabels(...names: readonly string[]): readonly LabelDefinition[] {
  return names.map((name, index) => ({ value: `${index}`, name }));
}

/** Columns of a pair of texts. */
export function pairColumns(text: string, pair: string, label = 'label'): ColumnNames {
  return { text, pair, label };
}

/** A source that reads rows by itself. */
export function readBy(read: RowReader): Shared {
  return { read };
}
