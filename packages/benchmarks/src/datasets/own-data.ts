import { type TableFormat, tableFormats } from './formats/table.js';
import type { FolderVariant, SplitSource } from './folders/layout.js';
import type { TaskDefinition } from './types.js';

/** Names of a validation file, most usual first. */
const VALIDATION_NAMES = ['dev', 'validation', 'val', 'test'];

/** Files called after their splits, as they lie in a folder of one's own: `train.csv` and `dev.csv`. */
export function plainFiles(
  format: TableFormat,
  shared: Omit<SplitSource, 'path'> = {},
): readonly FolderVariant[] {
  const path = (split: string): string => (format === 'parquet' ? split : `${split}.${format}`);
  return VALIDATION_NAMES.map((validation) => ({
    format,
    train: { path: path('train'), ...shared },
    validation: { path: path(validation), ...shared },
    test: { path: path('test'), ...shared },
  }));
}

const named: Readonly<Record<TableFormat, string>> = {
  tsv: 'train.tsv and dev.tsv with a header line, tabs and no quoting',
  csv: 'train.csv and dev.csv with a header line, quoted after RFC 4180',
  jsonl: 'train.jsonl and dev.jsonl, one JSON object a line',
  parquet: 'train.parquet and validation.parquet, or their shards',
};

/** Data of the user's own, a task for each format. */
export const ownData: readonly TaskDefinition[] = tableFormats.map((format) => ({
  name: format,
  description: `Your own data: ${named[format]}; columns named by you, classes found in the training file.`,
  license: "the data's own",
  source: 'folder given by the user',
  metric: 'accuracy',
  layout: { kind: 'folder', variants: plainFiles(format) },
}));
