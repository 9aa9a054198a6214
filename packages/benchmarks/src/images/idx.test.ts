import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../testing/temporary-folder.js';
import { readIdx } from './idx.js';

/** An IDX file after its specification: two zeros, type, rank, big-endian sizes, values. */
function idx(sizes: readonly number[], values: readonly number[], type = 8): Buffer {
  const header = sizes.flatMap((size) => [0, 0, size >> 8, size & 255]);
  return Buffer.from([0, 0, type, sizes.length, ...header, ...values]);
}

/** Three pictures 2 high and 3 wide to train on, one to test on. */
const whole = {
  'train-images-idx3-ubyte': idx(
    [3, 2, 3],
    Array.from({ length: 18 }, (_, index) => 10 * index),
  ),
  'train-labels-idx1-ubyte': idx([3], [2, 0, 2]),
  't10k-images-idx3-ubyte.gz': gzipSync(idx([1, 2, 3], [255, 254, 253, 252, 251, 250])),
  't10k-labels-idx1-ubyte.gz': gzipSync(idx([1], [1])),
};

const named = { name: 'things', description: '', license: 'none', classes: ['a', 'b'] };

describe('readIdx', () => {
  it('reads packed and plain files, big-endian, rows first', async () => {
    await withFolder(whole, async (folder) => {
      const { train, test, classes } = await readIdx(folder);
      expect(classes).toEqual(['0', '1', '2']);
      expect(train.map(({ id, label }) => [id, label])).toEqual([
        ['train-images:1', 2],
        ['train-images:2', 0],
        ['train-images:3', 2],
      ]);
      expect(train[1]?.image).toMatchObject({ kind: 'pixels', width: 3, height: 2, channels: 1 });
      expect(pixels(train[1])).toEqual([60, 70, 80, 90, 100, 110]);
      expect(test?.map(({ label }) => label)).toEqual([1]);
      expect(pixels(test?.[0])).toEqual([255, 254, 253, 252, 251, 250]);
    });
  });

  it('reads more than 255 pictures, whose count takes two bytes', async () => {
    const many = {
      ...whole,
      'train-images-idx3-ubyte': idx(
        [300, 1, 1],
        Array.from({ length: 300 }, (_, index) => index & 255),
      ),
      'train-labels-idx1-ubyte': idx([300], Array<number>(300).fill(1)),
    };
    await withFolder(many, async (folder) => {
      const { train } = await readIdx(folder);
      expect(train).toHaveLength(300);
      expect(pixels(train[299])).toEqual([43]);
    });
  });

  it('takes the other spelling of the names', async () => {
    const { 'train-images-idx3-ubyte': images, ...others } = whole;
    await withFolder({ ...others, 'train-images.idx3-ubyte': images }, async (folder) => {
      expect((await readIdx(folder)).train).toHaveLength(3);
    });
  });

  it.each([
    [
      'cut off',
      { 'train-images-idx3-ubyte': whole['train-images-idx3-ubyte'].subarray(0, 30) },
      /3 × 2 × 3 values and 14 follow/,
    ],
    [
      'cut off in the header',
      { 'train-images-idx3-ubyte': Buffer.from([0, 0, 8, 3, 0]) },
      /cut off within its header of 16 bytes/,
    ],
    ['too long', { 'train-labels-idx1-ubyte': idx([3], [2, 0, 2, 1]) }, /3 values and 4 follow/],
    [
      'labels as pictures',
      { 'train-images-idx3-ubyte': whole['train-labels-idx1-ubyte'] },
      /begins with 0x00000801, not with 0x00000803/,
    ],
    ['of floats', { 'train-labels-idx1-ubyte': idx([3], [2, 0, 2], 0x0d) }, /begins with 0x00000d01/],
    [
      'of another count',
      { 'train-labels-idx1-ubyte': idx([2], [2, 0]) },
      /2 labels for the 3 pictures of .*train-images/,
    ],
    [
      'no gzip',
      { 't10k-labels-idx1-ubyte.gz': Buffer.from('nothing') },
      /t10k-labels-idx1-ubyte\.gz: it cannot be unpacked/,
    ],
    [
      'half a gzip',
      { 't10k-images-idx3-ubyte.gz': whole['t10k-images-idx3-ubyte.gz'].subarray(0, 25) },
      /cannot be unpacked/,
    ],
    ['empty', { 'train-labels-idx1-ubyte': '' }, /the file is empty/],
  ])('refuses a file that is %s', async (_, changed, message) => {
    await withFolder({ ...whole, ...changed }, async (folder) => {
      await expect(readIdx(folder)).rejects.toThrow(DataError);
      await expect(readIdx(folder)).rejects.toThrow(message);
    });
  });

  it('refuses a label that has no class, and a file that is missing', async () => {
    await withFolder(whole, async (folder) => {
      await expect(readIdx(folder, named)).rejects.toThrow(/label 1 is 2, and there are 2 classes/);
      await expect(readIdx(join(folder, 'none'))).rejects.toThrow(/folder cannot be read/);
    });
    const { 't10k-labels-idx1-ubyte.gz': missing, ...others } = whole;
    expect(missing).toBeDefined();
    await withFolder(others, async (folder) => {
      await expect(readIdx(folder)).rejects.toThrow(/t10k-labels-idx1-ubyte: the file does not exist/);
    });
  });
});

/** Values of a picture that is decoded. */
function pixels(example: { image: { kind: string } } | undefined): readonly number[] {
  return [...(example?.image as unknown as { data: Uint8Array }).data];
}
