import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import {
  parquetBytes,
  type ParquetCodec,
  type ParquetExtras,
  type ParquetType,
} from '../testing/parquet-bytes.js';
import { withFolder } from '../testing/temporary-folder.js';
import { readImageParquet } from './parquet.js';

/** What `datasets` writes into the metadata of CIFAR-100, with three classes in place of a hundred. */
const huggingface = JSON.stringify({
  info: {
    features: {
      img: { _type: 'Image' },
      fine_label: { names: ['apple', 'bear', 'can'], _type: 'ClassLabel' },
      coarse_label: { names: ['food', 'other'], _type: 'ClassLabel' },
    },
  },
});
const columns = { img: 'image', fine_label: 'int64', coarse_label: 'int64' } as const;

/** Bytes that are no text, and start as a PNG does. */
const png = (value: number) => Uint8Array.of(0x89, 0x50, 0x4e, 0x47, value, 0xff, 0xfe, 0);
const picture = (value: number, fine: number, coarse = Number(fine > 0)) => ({
  img: { bytes: png(value), path: `${value}.png` },
  fine_label: fine,
  coarse_label: coarse,
});

function file(
  rows: readonly Readonly<Record<string, unknown>>[],
  types: Readonly<Record<string, ParquetType>> = columns,
  extras: ParquetExtras = { metadata: { huggingface } },
  codec: ParquetCodec = 'snappy',
): Uint8Array {
  return parquetBytes(rows, types, codec, extras);
}

const seven = [2, 0, 1, 1, 0, 2, 1].map((label, index) => picture(index, label));

describe('readImageParquet', () => {
  it('reads shards with names from the metadata of the Hub, pictures only on demand', async () => {
    const content = {
      'data/train-00000-of-00002.parquet': file(seven, columns, {
        metadata: { huggingface },
        rowsPerGroup: 3,
      }),
      'data/train-00001-of-00002.parquet': file([picture(100, 2)]),
      'data/test-00000-of-00001.parquet': file([picture(200, 1)]),
    };
    await withFolder(content, async (folder) => {
      const read = await readImageParquet(folder);
      expect(read.classes).toEqual(['apple', 'bear', 'can']);
      expect(read.train.map(({ label }) => label)).toEqual([2, 0, 1, 1, 0, 2, 1, 2]);
      expect(read.train.some((entry) => 'image' in entry)).toBe(false);
      expect(read.validation).toBeUndefined();
      // Rows of three groups and two files, in an order of their own.
      const chosen = [7, 5, 0, 6, 3].map((index) => read.train[index]).filter((entry) => entry !== undefined);
      const pictures = await read.pictures(chosen);
      expect(pictures.map(({ id }) => id)).toEqual([
        'train-00001-of-00002.parquet:1',
        'train-00000-of-00002.parquet:6',
        'train-00000-of-00002.parquet:1',
        'train-00000-of-00002.parquet:7',
        'train-00000-of-00002.parquet:4',
      ]);
      expect(pictures.map(({ label, image }) => ({ label, image }))).toEqual(
        [
          [2, 100],
          [2, 5],
          [2, 0],
          [1, 6],
          [1, 3],
        ].map(([label, value = 0]) => ({ label, image: { kind: 'bytes', bytes: png(value) } })),
      );
      const [test] = await read.pictures(read.test ?? []);
      expect(test?.image).toEqual({ kind: 'bytes', bytes: png(200) });
      // No picture keeps more than itself alive.
      const { image } = pictures[0] ?? {};
      expect(image?.kind === 'bytes' && image.bytes.buffer.byteLength).toBe(8);
    });
  });

  it('reads only the row groups and columns that are asked for', async () => {
    const bytes = file(seven, columns, { metadata: { huggingface }, rowsPerGroup: 3 }, 'gzip');
    await withFolder({ 'train.parquet': bytes }, async (folder) => {
      const path = join(folder, 'train.parquet');
      const read = await readImageParquet(folder);
      const { columns: chunks = [] } = read.train[0]?.file.metadata.row_groups[1] ?? {};
      const pictures = chunks.find(({ meta_data: data }) => data?.path_in_schema.join('.') === 'img.bytes');
      const start = Number(pictures?.meta_data?.data_page_offset);
      const size = Number(pictures?.meta_data?.total_compressed_size);
      expect(size).toBeGreaterThan(20);
      // The pictures of the second group are gone: labels and the other groups are still there.
      await writeFile(path, Buffer.from(bytes).fill(0xee, start, start + size));
      const again = await readImageParquet(folder);
      expect(again.train).toHaveLength(7);
      expect(await again.pictures([...again.train.slice(0, 3), ...again.train.slice(6)])).toHaveLength(4);
      await expect(again.pictures(again.train.slice(3, 4))).rejects.toThrow(DataError);
    });
  });

  it('takes another column of labels', async () => {
    await withFolder({ 'train.parquet': file(seven) }, async (folder) => {
      const read = await readImageParquet(folder, { label: 'coarse_label' });
      expect(read.classes).toEqual(['food', 'other']);
      expect(read.train.map(({ label }) => label)).toEqual([1, 0, 1, 1, 0, 1, 1]);
    });
  });

  it('finds columns without metadata, and takes numbers or texts as classes', async () => {
    const plain = (label: unknown) => ({ picture: png(1), label });
    const numbers = file([plain(2), plain(0)], { picture: 'binary', label: 'int64' }, {});
    await withFolder({ 'one/train.parquet': numbers }, async (folder) => {
      const read = await readImageParquet(folder);
      expect([read.classes, read.train.map(({ label }) => label)]).toEqual([
        ['0', '1', '2'],
        [2, 0],
      ]);
      expect((await read.pictures(read.train))[1]?.image).toEqual({ kind: 'bytes', bytes: png(1) });
    });
    const texts = file(
      [plain('pug'), plain('Boxer')],
      { picture: 'binary', label: 'string' },
      { metadata: { huggingface: '{' } },
    );
    await withFolder({ 'train.parquet': texts }, async (folder) => {
      const read = await readImageParquet(folder);
      expect([read.classes, read.train.map(({ label }) => label)]).toEqual([
        ['Boxer', 'pug'],
        [1, 0],
      ]);
    });
  });

  it('refuses bad labels by row, or leaves them out', async () => {
    const bad = file([picture(0, 0), picture(1, 3), { img: { bytes: png(2) } }, picture(3, -1)]);
    await withFolder({ 'train.parquet': bad }, async (folder) => {
      await expect(readImageParquet(folder)).rejects.toThrow(
        /train\.parquet row 2: label "3" is none of the 3 classes.*3 rows are bad/,
      );
      const { train, faults } = await readImageParquet(folder, { badRows: 'skip' });
      expect(train).toHaveLength(1);
      expect(faults.count).toBe(3);
      expect(faults.first[1]).toMatch(/row 3: column "fine_label" has no label/);
    });
  });

  it('names a row without a picture inside', async () => {
    const linked = file([picture(0, 0), { ...picture(1, 1), img: { path: 'elsewhere.png' } }]);
    await withFolder({ 'train.parquet': linked }, async (folder) => {
      const read = await readImageParquet(folder);
      await expect(read.pictures(read.train)).rejects.toThrow(
        /train\.parquet row 2: column "img" holds no bytes/,
      );
      expect(await read.pictures(read.train.slice(0, 1))).toHaveLength(1);
    });
  });

  it.each([
    [{}, /there is no train\.parquet/],
    [{ 'a/train.parquet': file(seven), 'b/train.parquet': file(seven) }, /several of its folders .*: a, b/],
    [
      { 'train.parquet': file([{ label: 1 }], { label: 'int64' }, {}) },
      /no column of pictures.*columns are label/,
    ],
    [{ 'train.parquet': file([{ p: png(1) }], { p: 'binary' }, {}) }, /no one column of labels/],
    [{ 'train.parquet': 'PAR1' }, /no whole parquet file/],
  ])('refuses a folder without a data set: %#', async (content, message) => {
    await withFolder(content, async (folder) => {
      await expect(readImageParquet(folder)).rejects.toThrow(DataError);
      await expect(readImageParquet(folder)).rejects.toThrow(message);
    });
  });

  it('refuses a column of labels that is not there', async () => {
    await withFolder({ 'train.parquet': file(seven) }, async (folder) => {
      await expect(readImageParquet(folder, { label: 'kind' })).rejects.toThrow(/no column "kind"/);
    });
  });
});
