import type { TableFormat, TextLayout } from '../formats/table.js';
import type { RowReader } from '../rows/row-reader.js';
import type { ColumnNames, LabelDefinition } from '../types.js';

/** A folder that the user names; files of the first variant that is found in it are read. */
export interface FolderLayout {
  readonly kind: 'folder';
  readonly variants: readonly FolderVariant[];
  /** Absent where the caller names the columns, or where examples are more than columns. */
  readonly columns?: ColumnNames;
  /** Columns that a row reader takes, for lists; absent where `columns` says all. */
  readonly fields?: readonly string[];
  /** Absent where the classes are those that the training file holds, and for other answers than classes. */
  readonly labels?: readonly LabelDefinition[];
  /** Lowest and highest answer, where it is a number. */
  readonly range?: readonly [number, number];
}

/** One way in which the files of a task lie in a folder. */
export interface FolderVariant {
  readonly format: TableFormat;
  /** Folder that holds the files, e.g. `CoLA`; they may lie in the given folder itself too, also called `CoLA.train.tsv` there. */
  readonly within?: string;
  readonly train: SplitSource;
  readonly validation: SplitSource;
  /** Where a test split is known; its labels are hidden more often than not. */
  readonly test?: SplitSource;
}

/** The file of a split, and what is peculiar to it. */
export interface SplitSource extends TextLayout {
  /** Path in the folder; of parquet without what follows the split's name: `train` for `train-00000-of-00001.parquet`. */
  readonly path: string;
  /** Columns, where other than the layout's. */
  readonly columns?: ColumnNames;
  /** Makes examples of a row, where they are more than columns. */
  readonly read?: RowReader;
}
