import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { withFolder } from '../testing/temporary-folder.js';
import { type ImageProtocol, splitImages } from './splits.js';
import type { ImageCollection, LabelledImage, LabelledImageDataset } from './types.js';

const classes = ['ant', 'bee', 'cat'];

/** Pictures of three classes, half of them ants and a tenth cats. */
function entries(split: string, count: number): readonly LabelledImage[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${split}/${index}`,
    label: index % 10 === 7 ? 2 : index % 2,
    image: { kind: 'file', path: `/${split}/${index}` },
  }));
}

/** A collection that counts the pictures it has read. */
function collection(sizes: { train: number; validation?: number; test?: number }) {
  const read: string[] = [];
  const made: ImageCollection = {
    name: 'made up',
    description: 'Made up.',
    license: 'CC0-1.0',
    source: 'this test',
    attribution: 'by nobody',
    classes,
    faults: { count: 1, first: ['x: y'] },
    train: entries('train', sizes.train),
    ...(sizes.validation !== undefined && { validation: entries('validation', sizes.validation) }),
    ...(sizes.test !== undefined && { test: entries('test', sizes.test) }),
    pictures: (wanted) => {
      read.push(...wanted.map(({ id }) => id));
      return Promise.resolve(wanted);
    },
  };
  return { made, read };
}

const ids = (split: readonly LabelledImage[] = []) => split.map(({ id }) => id);
const counts = (split: readonly LabelledImage[] = []) =>
  classes.map((_, label) => split.filter((entry) => entry.label === label).length);

async function split(
  sizes: Parameters<typeof collection>[0],
  protocol: ImageProtocol,
  seed = 1,
): Promise<LabelledImageDataset> {
  return splitImages(collection(sizes).made, { seed, protocol });
}

describe('whole', () => {
  it('keeps splits that are there, with all facts', async () => {
    const { made } = collection({ train: 20, validation: 10, test: 5 });
    const data = await splitImages(made, { seed: 1 });
    expect([ids(data.train), ids(data.validation), ids(data.test)]).toEqual([
      ids(made.train),
      ids(made.validation),
      ids(made.test),
    ]);
    expect(data).toMatchObject({
      attribution: 'by nobody',
      classes,
      faults: { count: 1 },
      license: 'CC0-1.0',
    });
  });

  it('takes a share of every class where there is no validation split', async () => {
    const data = await split({ train: 100, test: 5 }, { kind: 'whole', validationShare: 0.2 });
    expect(counts(data.train)).toEqual([40, 32, 8]);
    expect(counts(data.validation)).toEqual([10, 8, 2]);
    expect(new Set([...ids(data.train), ...ids(data.validation)]).size).toBe(100);
    expect((await split({ train: 100 }, { kind: 'whole' })).validation).toHaveLength(10);
    const other = await split({ train: 100 }, { kind: 'whole', validationShare: 0.2 }, 2);
    expect(ids(other.validation)).not.toEqual(ids(data.validation));
  });

  it('draws samples and reads nothing else', async () => {
    const { made, read } = collection({ train: 100, validation: 50, test: 50 });
    const protocol = { kind: 'whole', limit: 20, validationLimit: 10 } as const;
    const data = await splitImages(made, { seed: 3, protocol, testLimit: 10 });
    expect([counts(data.train), counts(data.validation), counts(data.test)]).toEqual([
      [10, 8, 2],
      [5, 4, 1],
      [5, 4, 1],
    ]);
    expect(read).toHaveLength(40);
    const again = await splitImages(made, { seed: 3, protocol });
    expect(ids(again.train)).toEqual(ids(data.train));
    expect(ids((await splitImages(made, { seed: 4, protocol })).train)).not.toEqual(ids(data.train));
  });

  it.each([
    [{ kind: 'whole', limit: 0 }, /limit 0/],
    [{ kind: 'whole', validationShare: 1 }, /validationShare 1/],
  ] as const)('refuses %j', async (protocol, message) => {
    await expect(split({ train: 100 }, protocol)).rejects.toThrow(ConfigurationError);
    await expect(split({ train: 100 }, protocol)).rejects.toThrow(message);
  });
});

describe('few-shot', () => {
  it.each([
    [1, 1],
    [2, 2],
    [4, 4],
    [8, 4],
    [16, 4],
  ])('draws %i of each class to train on and %i to validate on', async (shots, others) => {
    const data = await split({ train: 300, validation: 100, test: 40 }, { kind: 'few-shot', shots });
    expect(counts(data.train)).toEqual([shots, shots, shots]);
    expect(counts(data.validation)).toEqual([others, others, others]);
    expect(ids(data.validation).every((id) => id.startsWith('validation/'))).toBe(true);
    expect(data.test).toHaveLength(40);
    const without = await split({ train: 300 }, { kind: 'few-shot', shots });
    expect(counts(without.validation)).toEqual([others, others, others]);
    expect(new Set([...ids(without.train), ...ids(without.validation)]).size).toBe(3 * (shots + others));
  });

  it('draws by seed, from everywhere', async () => {
    const draw = async (seed: number) =>
      ids((await split({ train: 300 }, { kind: 'few-shot', shots: 8 }, seed)).train);
    expect(await draw(1)).toEqual(await draw(1));
    const drawn = await Promise.all(Array.from({ length: 60 }, (_, seed) => draw(seed)));
    expect(new Set(drawn.flat()).size).toBeGreaterThan(270);
  });

  it('names the class with too few pictures', async () => {
    const attempt = split({ train: 50 }, { kind: 'few-shot', shots: 8 });
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(
      /class "cat": it has 5 different examples, and 8 to train and 4 to/,
    );
    await expect(split({ train: 50 }, { kind: 'few-shot', shots: 0 })).rejects.toThrow(ConfigurationError);
  });
});

describe('VTAB-1k', () => {
  it('tunes on 800 and 200, and trains the final model on all 1,000', async () => {
    const tuning = await split({ train: 3000, test: 60 }, { kind: 'vtab-1k' });
    expect([tuning.train.length, tuning.validation.length, tuning.test?.length]).toEqual([800, 200, 60]);
    const both = [...ids(tuning.train), ...ids(tuning.validation)];
    expect(new Set(both).size).toBe(1000);
    const final = await split({ train: 3000, test: 60 }, { kind: 'vtab-1k', part: 'final' });
    expect(ids(final.train)).toEqual(both);
    expect([ids(final.validation), final.test]).toEqual([ids(entries('test', 60)), undefined]);
    // Drawn by seed without regard to classes: about half are ants, and another seed has others.
    expect(counts(tuning.train)[0]).toBeGreaterThan(340);
    const other = await split({ train: 3000, test: 60 }, { kind: 'vtab-1k' }, 2);
    expect(ids(other.train)).not.toEqual(ids(tuning.train));
  });

  it('takes the 200 from the validation split where there is one', async () => {
    const data = await split({ train: 900, validation: 300, test: 10 }, { kind: 'vtab-1k' });
    expect(ids(data.train).every((id) => id.startsWith('train/'))).toBe(true);
    expect(data.validation).toHaveLength(200);
    expect(ids(data.validation).every((id) => id.startsWith('validation/'))).toBe(true);
  });

  it('refuses too few pictures, and a final part without a test split', async () => {
    await expect(split({ train: 999 }, { kind: 'vtab-1k' })).rejects.toThrow(
      /999 pictures to train on, and 1000/,
    );
    await expect(split({ train: 900, validation: 199 }, { kind: 'vtab-1k' })).rejects.toThrow(/199 pictures/);
    await expect(split({ train: 1000 }, { kind: 'vtab-1k', part: 'final' })).rejects.toThrow(/no test split/);
  });

  /** The splits by lists of these lines. */
  function listed(train: string, validation: string, test?: string): Promise<LabelledImageDataset> {
    const files = {
      'train.txt': train,
      'val.txt': validation,
      ...(test !== undefined && { 'test.txt': test }),
    };
    return withFolder(files, (folder) => {
      const lists = {
        train: join(folder, 'train.txt'),
        validation: join(folder, 'val.txt'),
        ...(test !== undefined && { test: join(folder, 'test.txt') }),
      };
      return split({ train: 20, validation: 5, test: 5 }, { kind: 'vtab-1k', lists });
    });
  }

  it('follows published lists, in their order, with and without labels', async () => {
    const data = await listed('train/7 2\nvalidation/1 1\n\ntrain/0\n', 'train/3', 'test/4 0\ntest/0');
    expect(ids(data.train)).toEqual(['train/7', 'validation/1', 'train/0']);
    expect(ids(data.validation)).toEqual(['train/3']);
    expect(ids(data.test)).toEqual(['test/4', 'test/0']);
    expect((await listed('train/0', 'train/1')).test).toHaveLength(5);
  });

  it.each([
    ['train/7 1', 'train/1', /train\.txt line 1: the label is 1, and that of the picture is 2/],
    ['train/1\ntrain/99 1', 'train/2', /train\.txt line 2: the data set has no picture "train\/99"/],
    ['train/1\ntrain/2', 'train/2', /val\.txt line 1: "train\/2" stands in .*train\.txt line 2 already/],
  ])('refuses lists that do not fit: %j, %j', async (train, validation, message) => {
    await expect(listed(train, validation)).rejects.toThrow(DataError);
    await expect(listed(train, validation)).rejects.toThrow(message);
  });
});
