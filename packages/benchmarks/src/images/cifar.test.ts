import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { withFolder } from '../testing/temporary-folder.js';
import { readCifar10, readCifar100 } from './cifar.js';
import type { LabelledImage } from './types.js';

/** A record: label bytes, then planes whose value says plane, row and column. */
function record(...labels: readonly number[]): Buffer {
  const planes = [0, 1, 2].flatMap((plane) =>
    Array.from({ length: 1024 }, (_, at) => 64 * plane + (at >> 5) + (at & 31)),
  );
  return Buffer.from([...labels, ...planes]);
}

const names = (count: number) =>
  `${Array.from({ length: count }, (_, label) => `class ${label}`).join('\n')}\n\n`;

const batches = Object.fromEntries(
  [1, 2, 3, 4, 5].map((batch) => [`data_batch_${batch}.bin`, Buffer.concat([record(batch), record(9)])]),
);
const cifar10 = { ...batches, 'test_batch.bin': record(7), 'batches.meta.txt': names(10) };
const cifar100 = {
  'train.bin': Buffer.concat([record(19, 99), record(0, 3)]),
  'test.bin': record(4, 50),
  'fine_label_names.txt': names(100),
  'coarse_label_names.txt': names(20),
};

const labels = (entries: readonly LabelledImage[] = []) => entries.map(({ label }) => label);

describe('CIFAR-10', () => {
  it('is read from five batches, channels last', async () => {
    await withFolder(cifar10, async (folder) => {
      const { train, test, classes } = await readCifar10(folder);
      expect(classes).toHaveLength(10);
      expect(labels(train)).toEqual([1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
      expect(train[3]?.id).toBe('data_batch_2.bin:2');
      expect(labels(test)).toEqual([7]);
      const image = train[3]?.image;
      if (image?.kind !== 'pixels') throw new Error('these are pixels');
      expect([image.width, image.height, image.channels]).toEqual([32, 32, 3]);
      expect(image.data).toHaveLength(3072);
      // Row 5, column 7.
      expect([...image.data.subarray(3 * (5 * 32 + 7)).subarray(0, 3)]).toEqual([12, 76, 140]);
      // A copy of the object keeps its pixels, as sending it to another thread makes one.
      expect(structuredClone({ ...image })).toMatchObject({ kind: 'pixels', data: image.data });
    });
  });

  it('is found one folder below', async () => {
    const below = Object.entries(cifar10).map(
      ([name, bytes]) => [`cifar-10-batches-bin/${name}`, bytes] as const,
    );
    await withFolder(Object.fromEntries(below), async (folder) => {
      expect((await readCifar10(folder)).train).toHaveLength(10);
    });
  });
});

describe('CIFAR-100', () => {
  it('has two labels, of which one is the class', async () => {
    await withFolder(cifar100, async (folder) => {
      const fine = await readCifar100(folder);
      expect([fine.classes.length, labels(fine.train), labels(fine.test)]).toEqual([100, [99, 3], [50]]);
      const coarse = await readCifar100(folder, 'coarse_label');
      expect([coarse.classes.length, labels(coarse.train), labels(coarse.test)]).toEqual([20, [19, 0], [4]]);
    });
  });
});

it.each([
  [
    'is cut off',
    { 'data_batch_3.bin': record(1).subarray(0, 3000) },
    /data_batch_3\.bin: its 3000 bytes are not whole records of 3073/,
  ],
  ['is of CIFAR-100', { 'test_batch.bin': record(1, 2) }, /its 3074 bytes are not whole records of 3073/],
  ['has a label too many', { 'data_batch_1.bin': record(10) }, /data_batch_1\.bin record 1: its label is 10/],
  ['names too few classes', { 'batches.meta.txt': names(9) }, /it names 9 classes instead of 10/],
  ['is empty', { 'test_batch.bin': '' }, /the file is empty/],
])('refuses a file that %s', async (_, changed, message) => {
  await withFolder({ ...cifar10, ...changed }, async (folder) => {
    await expect(readCifar10(folder)).rejects.toThrow(DataError);
    await expect(readCifar10(folder)).rejects.toThrow(message);
    await expect(readCifar10(join(folder, 'none'))).rejects.toThrow(
      /batches\.meta\.txt: the file does not exist/,
    );
  });
});
