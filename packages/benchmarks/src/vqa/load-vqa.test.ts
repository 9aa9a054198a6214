import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { loadVqa, splitVqa } from './load-vqa.js';
import type { VqaCollection, VqaEntry, VqaExample } from './types.js';

const entries = (name: string, pictures: number, each: number): readonly VqaEntry[] =>
  Array.from({ length: pictures * each }, (_, index) => ({
    id: `${name}/${index}`,
    question: 'What is this?',
    questionId: `${index}`,
    imageId: `${name}${Math.floor(index / each)}`,
    answers: ['cat'],
  }));

/** A collection that notes which pictures were asked for. */
function collection(splits: VqaCollection<VqaEntry>['splits']) {
  const asked: string[] = [];
  const made: VqaCollection<VqaEntry> = {
    name: 'made up',
    description: 'Nothing.',
    license: 'none',
    source: 'here',
    measure: 'soft',
    faults: { count: 0, first: [] },
    splits,
    examples: (wanted) => {
      asked.push(...wanted.map(({ id }) => id));
      return Promise.resolve(
        wanted.map((entry): VqaExample => ({ ...entry, image: { kind: 'file', path: entry.imageId } })),
      );
    },
  };
  return { made, asked };
}

describe('splitVqa', () => {
  const train = entries('train', 20, 3);
  const validation = entries('val', 10, 2);
  const test = entries('test', 4, 1);

  it('takes everything, or a sample by seed in the order of the data, and reads no other picture', async () => {
    const whole = collection({ train, validation, test });
    const all = await splitVqa(whole.made, { seed: 1 });
    expect([all.train.length, all.validation.length, all.test?.length]).toEqual([60, 20, 4]);
    expect(all).not.toHaveProperty('splits');
    const { made, asked } = collection({ train, validation, test });
    const limits = { limit: 10, validationLimit: 5, testLimit: 2 };
    const some = await splitVqa(made, { seed: 1, ...limits });
    expect([some.train.length, some.validation.length, some.test?.length]).toEqual([10, 5, 2]);
    expect(asked).toHaveLength(17);
    const numbers = some.train.map(({ questionId }) => Number(questionId));
    expect(numbers).toEqual([...numbers].sort((first, second) => first - second));
    expect((await splitVqa(made, { seed: 1, ...limits })).train).toEqual(some.train);
    expect((await splitVqa(made, { seed: 2, ...limits })).train).not.toEqual(some.train);
  });

  it('divides the only split with answers by pictures', async () => {
    for (const splits of [{ train, test }, { validation: train }]) {
      const { made } = collection(splits);
      const drawn = await splitVqa(made, { seed: 3, validationShare: 0.25 });
      expect([drawn.train.length, drawn.validation.length]).toEqual([45, 15]);
      const seen = new Set(drawn.train.map(({ imageId }) => imageId));
      expect(drawn.validation.filter(({ imageId }) => seen.has(imageId))).toEqual([]);
      expect(drawn.description).toMatch(/A share of the pictures validates/);
    }
  });

  it('refuses what cannot be drawn', async () => {
    const { made } = collection({ train, validation });
    await expect(splitVqa(made, { seed: 1, limit: 0 })).rejects.toThrow(ConfigurationError);
    await expect(splitVqa(made, { seed: 1, testLimit: 1.5 })).resolves.toBeDefined();
    await expect(splitVqa(collection({ train }).made, { seed: 1, validationShare: 1 })).rejects.toThrow(
      /validationShare 1: /,
    );
    await expect(splitVqa(collection({ test }).made, { seed: 1 })).rejects.toThrow(/no split to train on/);
    await expect(splitVqa(collection({ train: entries('a', 1, 5) }).made, { seed: 1 })).rejects.toThrow(
      DataError,
    );
  });
});

describe('loadVqa', () => {
  it('refuses unknown names and a missing folder', async () => {
    await expect(loadVqa('vqa', '/data', { seed: 1 })).rejects.toThrow(
      /Use one of scenes, vqa-v2, ok-vqa, gqa/,
    );
    await expect(loadVqa('scenes', undefined, { seed: 1 })).rejects.toThrow(/with writeScenes/);
    await expect(loadVqa('gqa', undefined, { seed: 1 })).rejects.toThrow(ConfigurationError);
    for (const name of ['scenes', 'vqa-v2', 'ok-vqa', 'gqa', 'clevr', 'parquet']) {
      await expect(loadVqa(name, '/nowhere', { seed: 1 })).rejects.toThrow(/\/nowhere/);
    }
  });
});
