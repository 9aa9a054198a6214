import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { parquetBytes, type ParquetType } from '../../testing/parquet-bytes.js';
import { withFolder } from '../../testing/temporary-folder.js';
import { notUtf8 } from '../rows/values.js';
import { parquetFiles, readParquet } from './parquet.js';

const columns: Readonly<Record<string, ParquetType>> = {
  sentence: 'string',
  label: 'int64',
  score: 'double',
  good: 'boolean',
  entities: 'strings',
  idx: { int32s: ['paragraph', 'question'] },
};
const rows = [
  {
    sentence: 'Ünïcode 😀',
    label: 1,
    score: 2.25,
    good: true,
    entities: ['a', 'b c'],
    idx: { paragraph: 7, question: 1 },
  },
  { sentence: 'plain', label: -1, score: 0, good: false, entities: [], idx: { paragraph: 8, question: 0 } },
];

/** Reads a file of these bytes. */
function read(bytes: Uint8Array) {
  return withFolder({ 'train.parquet': bytes }, (folder) => readParquet(join(folder, 'train.parquet')));
}

describe('readParquet', () => {
  it.each(['uncompressed', 'snappy', 'gzip', 'zstd'] as const)(
    'reads every type of column, %s',
    async (codec) => {
      const table = await read(parquetBytes(rows, columns, codec));
      expect(table.columns).toEqual(Object.keys(columns));
      expect(table.rows).toEqual(rows.map((values, index) => ({ line: index + 1, values })));
    },
  );

  it('leaves missing values undefined or null, and marks bytes that are not UTF-8', async () => {
    const table = await read(
      parquetBytes([{ a: Buffer.from('caf\xe9', 'latin1') }, {}, { a: Buffer.from('fine') }], { a: 'bytes' }),
    );
    expect(table.rows.map(({ values }) => values.a ?? undefined)).toEqual([notUtf8, undefined, 'fine']);
  });

  it.each([
    ['is no parquet', Buffer.from('sentence\tlabel\nfine\t1\n')],
    ['is cut off', parquetBytes(rows, columns).subarray(0, 200)],
    ['is empty', new Uint8Array()],
  ])('refuses a file that %s, by name', async (_, bytes) => {
    const attempt = read(bytes);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/train\.parquet: this is no whole parquet file/);
  });

  it('refuses a file that is missing, or has no rows', async () => {
    await expect(readParquet('/nowhere/train.parquet')).rejects.toThrow(
      /train\.parquet: the file does not exist/,
    );
    await expect(read(parquetBytes([], columns))).rejects.toThrow(/train\.parquet: the file has no rows/);
  });
});

describe('parquetFiles', () => {
  /** Names of the files of split `train` in a folder that holds these. */
  const found = (...names: readonly string[]): Promise<readonly string[]> =>
    withFolder(Object.fromEntries(names.map((name) => [name, ''])), async (folder) =>
      (await parquetFiles(join(folder, 'train'))).map((path) => path.slice(folder.length + 1)),
    );

  it('finds shards in order, and no other split', async () => {
    expect(
      await found(
        'train-00001-of-00002.parquet',
        'train-00000-of-00002.parquet',
        'train-extra-00000-of-00001.parquet',
        'test-00000-of-00001.parquet',
      ),
    ).toEqual(['train-00000-of-00002.parquet', 'train-00001-of-00002.parquet']);
    expect(await found('train.parquet')).toEqual(['train.parquet']);
    expect(await found('validation.parquet')).toEqual([]);
  });

  it('refuses a split of which a shard is missing', async () => {
    await expect(found('train-00001-of-00003.parquet')).rejects.toThrow(/1 of its 3 parquet files are there/);
  });
});
