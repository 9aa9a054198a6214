import { isUtf8 } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { notUtf8 } from '../rows/values.js';
import { fileFault } from './read-bytes.js';
import type { Table, TableRow } from './table.js';

/** Reads a parquet file. Rejects with a `DataError` where it is missing, damaged or without rows. */
export async function readParquet(path: string): Promise<Table> {
  const { columns, rows } = await contents(path).catch((cause: unknown) => {
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
  if (rows.length === 0) throw fileFault(path, 'the file has no rows', 'Give a file with data rows');
  return { path, unit: 'row', columns, rows, faults: [] };
}

async function contents(path: string): Promise<Pick<Table, 'columns' | 'rows'>> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const objects: readonly unknown[] = await parquetReadObjects({
    file,
    metadata,
    compressors,
    parsers: {
      // A missing value comes as undefined, in spite of the library's types.
      stringFromBytes: (bytes: Uint8Array | undefined) =>
        bytes === undefined || isUtf8(bytes) ? bytes && decoder.decode(bytes) : notUtf8,
    },
  });
  return {
    columns,
    rows: objects.map((values, index) => ({ line: index + 1, values: plain(values) as TableRow['values'] })),
  };
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
