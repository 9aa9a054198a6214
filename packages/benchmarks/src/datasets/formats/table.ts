import type { RowFault } from '../rows/faults.js';

/** File formats that tables are read from. */
export const tableFormats = ['tsv', 'csv', 'jsonl', 'parquet'] as const;

/** How a file holds its rows. */
export type TableFormat = (typeof tableFormats)[number];

/** Peculiarities of a text file. */
export interface TextLayout {
  /** Names of the columns, of a file without a header line. */
  readonly header?: readonly string[];
}

/** A row with its values by column. */
export interface TableRow {
  /** Line that it begins on, counted from 1 with a header as line 1; of parquet the number of the row, from 1. */
  readonly line: number;
  /** Strings of tsv and csv; whatever JSON and parquet hold otherwise, with 64-bit integers as numbers. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A file in memory, whole rows apart from bad ones. */
export interface Table {
  readonly path: string;
  /** What a row is called in errors. */
  readonly unit: 'line' | 'row';
  /** Columns of the header; of JSON lines, every field that an object has. */
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** Rows that cannot be read, in order. */
  readonly faults: readonly RowFault[];
}
