import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ConfigurationError, DataError } from '@dynaprompt/core';

import { Workplace } from '../program.test.fixture.js';
import { fingerprintOf } from './fingerprint.js';
import { type DataOptions, loadData, type ScoredDataset } from './load-data.js';

let place: Workplace;
const plain: DataOptions = {
  split: undefined,
  shots: undefined,
  limit: undefined,
  validationLimit: undefined,
  dataSeed: 1,
  evaluation: undefined,
  badSamples: 'fail',
  labelColumn: undefined,
  classes: 'groups',
};

beforeAll(async () => {
  place = await Workplace.open();
  await place.writeShapes('shapes', { train: 6, val: 3, test: 4 });
  await place.writeShapes('copy', { train: 6, val: 3, test: 4 });
  await place.writeShapes('untested', { train: 6 });
  await place.writeShapes('bad', { train: 3, val: 2 });
  await place.write('bad/train/disc/broken.png', 'no picture');
  await place.write('bad/val/square/empty.jpg', '');
});

afterAll(() => place.remove());

function load(folder: string, changes: Partial<DataOptions> = {}): Promise<ScoredDataset> {
  return loadData({ name: 'image-folder', folder: place.path(folder) }, { ...plain, ...changes });
}

const idsOf = (split: readonly { readonly id: string }[]): string[] =>
  split.map(({ id }) => id.split('/')[0] ?? '');

describe('loadData', () => {
  it('scores on the split that is asked for', async () => {
    const whole = await load('shapes');
    expect([whole.train.length, whole.validation.length]).toEqual([12, 6]);
    expect(new Set(idsOf(whole.validation))).toEqual(new Set(['val']));
    const tested = await load('shapes', { evaluation: 'test' });
    expect(tested.validation).toHaveLength(8);
    expect(new Set(idsOf(tested.validation))).toEqual(new Set(['test']));
    const limited = await load('shapes', { evaluation: 'test', limit: 4, validationLimit: 2 });
    expect([limited.train.length, limited.validation.length]).toEqual([4, 2]);
    await expect(load('untested', { evaluation: 'test' })).rejects.toThrow('no test split');
  });

  it('draws so many shots of each class, by themselves or as a split', async () => {
    for (const split of [undefined, 'few-shot'] as const) {
      const { train, validation } = await load('shapes', { split, shots: 2, evaluation: 'test' });
      expect(train.map(({ label }) => label).sort()).toEqual([0, 0, 1, 1]);
      expect(validation).toHaveLength(8);
    }
  });

  it('draws others with another seed, and scores the same', async () => {
    const draw = (dataSeed: number): Promise<ScoredDataset> =>
      load('shapes', { shots: 2, evaluation: 'test', dataSeed });
    const [first, again, second] = await Promise.all([1, 1, 2].map(draw));
    const ids = (split: ScoredDataset['train'] = []): string[] => split.map(({ id }) => id).sort();
    expect(ids(again?.train)).toEqual(ids(first?.train));
    expect(ids(second?.train)).not.toEqual(ids(first?.train));
    expect(ids(second?.validation)).toEqual(ids(first?.validation));
  });

  it.each<[string, Partial<DataOptions>]>([
    ['--shots', { split: 'full', shots: 2 }],
    ['--split few-shot', { split: 'few-shot' }],
    ['--limit', { shots: 2, limit: 4 }],
    ['--limit', { split: 'vtab', limit: 4 }],
    ['--validation-limit', { split: 'vtab', validationLimit: 4 }],
    ['--validation-limit', { shots: 2, validationLimit: 4 }],
  ])('refuses %s where it does not fit: %j', async (subject, changes) => {
    await expect(load('shapes', changes)).rejects.toThrow(ConfigurationError);
    await expect(load('shapes', changes)).rejects.toThrow(subject);
  });

  it('needs a thousand pictures for VTAB-1k', async () => {
    await expect(load('shapes', { split: 'vtab' })).rejects.toThrow('800 are needed');
  });

  it('stops at a bad picture, or leaves it out, counts it and names it', async () => {
    await expect(load('bad')).rejects.toThrow(DataError);
    await expect(load('bad')).rejects.toThrow('train/disc/broken.png');
    const { train, validation, faults } = await load('bad', { badSamples: 'skip' });
    expect([train.length, validation.length]).toEqual([6, 4]);
    expect(faults.count).toBe(2);
    expect(faults.first).toEqual([
      expect.stringContaining('train/disc/broken.png: '),
      expect.stringContaining('val/square/empty.jpg: '),
    ]);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const asked = loadData({ name: 'image-folder', folder: place.path('shapes') }, plain, signal);
    await expect(asked).rejects.toThrow('enough');
  });
});

describe('fingerprintOf', () => {
  it('depends on pictures, labels and classes, not on where they lie', async () => {
    const data = await load('shapes');
    const same = await fingerprintOf(data);
    expect(await fingerprintOf(await load('copy'))).toBe(same);
    const [first, second, ...others] = data.train;
    if (first === undefined || second === undefined) throw new Error('two pictures');
    const changed: ScoredDataset[] = [
      { ...data, classes: ['disc', 'rectangle'] },
      { ...data, train: [{ ...first, label: 1 - first.label }, second, ...others] },
      { ...data, train: [{ ...first, image: second.image }, second, ...others] },
      { ...data, train: [second, first, ...others] },
    ];
    for (const other of changed) expect(await fingerprintOf(other)).not.toBe(same);
  });
});
