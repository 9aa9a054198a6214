import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@dynaprompt/core';
import { parquetBytes } from '../testing/parquet-bytes.js';
import { withFolder } from '../testing/temporary-folder.js';
import { loadImages } from './load-images.js';

const digits = (count: number, label: number) => ({
  images: Buffer.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, 1, ...Array<number>(count).fill(9)]),
  labels: Buffer.from([0, 0, 8, 1, 0, 0, 0, count, ...Array<number>(count).fill(label)]),
});
const train = digits(10, 9);
const test = digits(2, 0);
const idx = {
  'train-images-idx3-ubyte': train.images,
  'train-labels-idx1-ubyte': train.labels,
  't10k-images-idx3-ubyte': test.images,
  't10k-labels-idx1-ubyte': test.labels,
};

describe('loadImages', () => {
  it('loads a folder of pictures', async () => {
    await withFolder({ 'a/1.png': '', 'a/2.png': '', 'b/1.png': '' }, async (folder) => {
      const data = await loadImages('image-folder', folder, { seed: 1 });
      expect(data.classes).toEqual(['a', 'b']);
      expect([data.train.length, data.validation.length, data.test]).toEqual([2, 1, undefined]);
    });
  });

  it('loads parquet files with the label that is asked for', async () => {
    const rows = [0, 1, 2, 3].map((value) => ({
      image: { bytes: Uint8Array.of(value) },
      kind: `${value}`,
      label: 0,
    }));
    const bytes = parquetBytes(rows, { image: 'image', kind: 'string', label: 'int64' });
    await withFolder({ 'train.parquet': bytes, 'test.parquet': bytes }, async (folder) => {
      const data = await loadImages('parquet', folder, { seed: 1, label: 'kind' });
      expect(data.classes).toHaveLength(4);
      expect(data.train.every(({ image }) => image.kind === 'bytes')).toBe(true);
      expect(data.test?.map(({ label }) => label)).toEqual([0, 1, 2, 3]);
    });
  });

  it.each([
    ['fashion-mnist', 'MIT', 'Ankle boot'],
    ['mnist', "the data set's own; see its publication", '9'],
    ['idx', "the data set's own; see its publication", '9'],
  ])('loads %s with its classes', async (name, license, last) => {
    await withFolder(idx, async (folder) => {
      const data = await loadImages(name, folder, { seed: 1 });
      expect([data.name, data.license, data.classes.length, data.classes[9]]).toEqual([
        name,
        license,
        10,
        last,
      ]);
      expect([data.train.length, data.validation.length, data.test?.length]).toEqual([9, 1, 2]);
    });
  });

  it('loads emojis', async () => {
    const list = JSON.stringify(
      ['1F408.svg', '1F1E8-1F1FF.svg'].map((file) => ({ source: 'openmoji', file })),
    );
    await withFolder({ 'heldout.json': list }, async (folder) => {
      const heldOut = join(folder, 'heldout.json');
      const protocol = { kind: 'few-shot', shots: 2 } as const;
      const data = await loadImages('openmoji', undefined, {
        seed: 1,
        heldOut,
        protocol,
        from: import.meta.url,
      });
      expect([data.train.length, data.validation.length, data.test?.length]).toEqual([4, 4, 2]);
      expect(data.attribution).toContain('CC BY-SA 4.0');
      await expect(loadImages('openmoji', folder, { seed: 1, heldOut })).rejects.toThrow(/takes no folder/);
    });
    await expect(loadImages('openmoji', undefined, { seed: 1 })).rejects.toThrow(
      /held-out pictures is not named/,
    );
  });

  it.each([
    ['imagenet', '/x', /there is no data set of that name.*openmoji, image-folder/],
    ['cifar-10', undefined, /data set "cifar-10": the folder with its files is not named/],
    ['cifar-100', '/x', /it has no labels "kind"/],
  ])('refuses %s in %s', async (name, folder, message) => {
    const attempt = loadImages(name, folder, { seed: 1, label: 'kind' });
    await expect(attempt).rejects.toThrow(ConfigurationError);
    await expect(attempt).rejects.toThrow(message);
  });
});
