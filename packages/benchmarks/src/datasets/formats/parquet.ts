import { isUtf8 } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  asyncBufferFromFile,
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { notUtf8, type Values } from '../rows/values.js';
import { fileFault } from './read-bytes.js';
import type { Table, TableRow } from './table.js';

/** A parquet file whose rows are read when they are asked for. */
export interface ParquetFile {
  readonly path: string;
  readonly metadata: FileMetaData;
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** Rows of some columns, from row `start`, counted from 0, to before `end`; all of them where nothing is said. */
  readonly rows: (wanted?: RowsWanted) => Promise<readonly Values[]>;
}

/** What is read of a parquet file. */
export interface RowsWanted {
  readonly columns: readonly string[];
  readonly start?: number;
  readonly end?: number;
}

/** Opens a parquet file and reads its footer. Rejects with a `DataError` where it is missing or damaged. */
export async function openParquet(path: string): Promise<ParquetFile> {
  return whole(path, async () => {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    return {
      path,
      metadata,
      columns: parquetSchema(metadata).children.map(({ element }) => element.name),
      rows: (wanted) => whole(path, () => readRows(file, metadata, wanted)),
    };
  });
}

/** Reads a parquet file. Rejects with a `DataError` where it is missing, damaged or without rows. */
export async function readParquet(path: string): Promise<Table> {
  const { columns, rows } = await openParquet(path);
  const objects = await rows();
  if (objects.length === 0) throw fileFault(path, 'the file has no rows', 'Give a file with data rows');
  return {
    path,
    unit: 'row',
    columns,
    rows: objects.map((values, index) => ({ line: index + 1, values: plain(values) as TableRow['values'] })),
    faults: [],
  };
}

async function readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  wanted: RowsWanted | undefined,
): Promise<readonly Values[]> {
  return parquetReadObjects({
    file,
    metadata,
    compressors,
    // Text without a mark is text in tables; where columns are named, only what is marked: the rest are bytes of pictures.
    utf8: wanted === undefined,
    ...(wanted && { columns: [...wanted.columns] }),
    ...(wanted?.start !== undefined && { rowStart: wanted.start }),
    ...(wanted?.end !== undefined && { rowEnd: wanted.end }),
    parsers: {
      // A missing value comes as undefined, in spite of the library's types.
      stringFromBytes: (bytes: Uint8Array | undefined) =>
        bytes === undefined || isUtf8(bytes) ? bytes && decoder.decode(bytes) : notUtf8,
    },
  });
}

/** What `read` gives; its failure as an error that names the file. */
async function whole<T>(path: string, read: () => Promise<T>): Promise<T> {
  return read().catch((cause: unknown) => {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const { message } = cause as Error;
    throw missing
      ? fileFault(
          path,
          'the file does not exist',
          'Put the file there, or name another folder or task',
          cause,
        )
      : fileFault(path, `this is no whole parquet file (${message})`, 'Fetch it again', cause);
  });
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** 64-bit integers as numbers, typed arrays as lists. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

/**
 * Files of a split, in order: `STEM.parquet`, or the shards `STEM-00000-of-00002.parquet` … as the Hub names them. Empty where
 * there are none; throws a `DataError` where a shard is missing.
 */
export async function parquetFiles(stem: string): Promise<readonly string[]> {
  const folder = dirname(stem);
  const names = await readdir(folder).catch((): string[] => []);
  if (names.includes(`${basename(stem)}.parquet`)) return [`${stem}.parquet`];
  const shards = names
    .map((name) => ({ name, match: /^(.*)-(\d{5})-of-(\d{5})\.parquet$/.exec(name) }))
    .filter(({ match }) => match?.[1] === basename(stem))
    .sort((first, second) => (first.name < second.name ? -1 : 1));
  const expected = Number(shards[0]?.match?.[3] ?? 0);
  if (shards.length !== expected) {
    throw fileFault(
      stem,
      `${shards.length} of its ${expected} parquet files are there`,
      'Fetch those that are missing, and take out those of another revision',
    );
  }
  return shards.map(({ name }) => join(folder, name));
}
