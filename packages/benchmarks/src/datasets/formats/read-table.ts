import { readCsv } from './csv.js';
import { readJsonLines } from './jsonl.js';
import { readParquet } from './parquet.js';
import { readTsv } from './tsv.js';
import type { Table, TableFormat, TextLayout } from './table.js';

/** Reads a file of that format. Bad rows stand in the table's faults; a file without use rejects with a `DataError`. */
export async function readTable(path: string, format: TableFormat, layout: TextLayout = {}): Promise<Table> {
  switch (format) {
    case 'tsv':
      return readTsv(path, layout);
    case 'csv':
      return readCsv(path, layout);
    case 'jsonl':
      return readJsonLines(path);
    case 'parquet':
      return readParquet(path);
  }
}
