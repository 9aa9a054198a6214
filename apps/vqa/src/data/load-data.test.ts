import { readdir, stat } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Workplace } from '../program.test.fixture.js';
import { fingerprintOf } from './fingerprint.js';
import { type DataOptions, loadData, type QuestionSet } from './load-data.js';

let place: Workplace;
let before: string | undefined;
const plain: DataOptions = {
  answers: 10,
  limit: undefined,
  validationLimit: undefined,
  dataSeed: 1,
  evaluation: undefined,
  badSamples: 'fail',
  scenes: 24,
};

beforeAll(async () => {
  place = await Workplace.open();
  before = process.env.DYNAPROMPT_CACHE;
  process.env.DYNAPROMPT_CACHE = place.path('cache');
  await place.writeColours('colours', { train: 6, val: 4, test: 2 });
  await place.writeColours('copy', { train: 6, val: 4, test: 2 });
  await place.writeColours('bad', { train: 6, val: 4 }, ['train3.svg', 'val0.svg']);
});

afterAll(async () => {
  if (before === undefined) delete process.env.DYNAPROMPT_CACHE;
  else process.env.DYNAPROMPT_CACHE = before;
  await place.remove();
});

function load(folder: string, changes: Partial<DataOptions> = {}): Promise<QuestionSet> {
  return loadData({ name: 'clevr', folder: place.path(folder) }, { ...plain, ...changes });
}

function scenes(changes: Partial<DataOptions> = {}): Promise<QuestionSet> {
  return loadData({ name: 'scenes', folder: undefined }, { ...plain, ...changes });
}

describe('loadData', () => {
  it('draws scenes once for every number of them', async () => {
    const [first, second] = await Promise.all([scenes(), scenes()]);
    expect(fingerprintOf(first)).toBe(fingerprintOf(second));
    const folders = await readdir(place.path('cache', 'scenes'));
    expect(folders).toEqual([expect.stringMatching(/^seed1-24-6-6-64px-[0-9a-f]{12}$/)]);
    const written = async (): Promise<number> =>
      (await stat(place.path('cache', 'scenes', folders[0] ?? '', 'README.md'))).mtimeMs;
    const time = await written();
    expect((await scenes()).train).toHaveLength(24);
    expect(await written()).toBe(time);
    await scenes({ scenes: 12 });
    expect(await readdir(place.path('cache', 'scenes'))).toHaveLength(2);
  });

  it('scores scenes on the test split, others on validation, unless told otherwise', async () => {
    const idsOf = ({ validation }: QuestionSet): Set<string | undefined> =>
      new Set(validation.map(({ id }) => id.split('/')[0]));
    expect(idsOf(await scenes())).toEqual(new Set(['test']));
    expect(idsOf(await scenes({ evaluation: 'validation' }))).toEqual(new Set(['validation']));
    expect(idsOf(await load('colours'))).toEqual(new Set(['val']));
    const limited = await load('colours', { limit: 3, validationLimit: 2 });
    expect([limited.train.length, limited.validation.length]).toEqual([3, 2]);
  });

  it('refuses a test split without answers, and a folder for scenes', async () => {
    await expect(load('colours', { evaluation: 'test' })).rejects.toThrow('are not published');
    const asked = loadData({ name: 'scenes', folder: 'somewhere' }, plain);
    await expect(asked).rejects.toThrow('they have no folder');
  });

  it('stops at a bad picture, or leaves its questions out, counts them and names the first', async () => {
    await expect(load('bad')).rejects.toThrow('train3.svg');
    const { train, validation, faults } = await load('bad', { badSamples: 'skip' });
    expect([train.length, validation.length, faults.count]).toEqual([5, 3, 2]);
    expect(faults.first).toEqual([expect.stringContaining('train/3: '), expect.stringContaining('val/0: ')]);
  });

  it('keeps the most rewarding answers', async () => {
    expect((await load('colours')).vocabulary.answers).toHaveLength(2);
    expect((await load('colours', { answers: 1 })).vocabulary.answers).toHaveLength(1);
  });
});

describe('fingerprintOf', () => {
  it('depends on answers, questions and pictures, not on where they lie', async () => {
    const data = await load('colours');
    const same = fingerprintOf(data);
    expect(fingerprintOf(await load('copy'))).toBe(same);
    const [first, second, ...others] = data.train;
    if (first === undefined || second === undefined) throw new Error('two questions');
    for (const train of [
      [{ ...first, question: 'why?' }, second, ...others],
      [{ ...first, answers: ['blue'] }, second, ...others],
      [{ ...first, image: second.image }, second, ...others],
    ]) {
      expect(fingerprintOf({ ...data, train })).not.toBe(same);
    }
    expect(fingerprintOf(await load('colours', { answers: 1 }))).not.toBe(same);
  });
});
