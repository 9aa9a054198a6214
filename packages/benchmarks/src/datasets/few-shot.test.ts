import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { fewShotSplits } from './few-shot.js';
import type { LabelledExample } from './types.js';

const labels = ['bad', 'good', 'rare'];

/** Examples of three classes, the last of which is rare; every fifth text occurs twice. */
const examples: readonly LabelledExample[] = Array.from({ length: 400 }, (_, index) => ({
  id: `${index}`,
  text: `text ${index % 5 === 4 ? index - 1 : index}`,
  label: index % 10 === 7 ? 2 : index % 2,
}));

function countsOf(split: readonly LabelledExample[]): number[] {
  return labels.map((_, label) => split.filter((example) => example.label === label).length);
}

describe('fewShotSplits', () => {
  it.each([1, 2, 4, 8, 16])('draws %i of each class for training, and as many others', (shots) => {
    const { train, validation } = fewShotSplits(examples, labels, { shots, seed: 5 });
    expect(countsOf(train)).toEqual([shots, shots, shots]);
    expect(countsOf(validation)).toEqual([shots, shots, shots]);
    const texts = [...train, ...validation].map(({ text }) => text);
    expect(new Set(texts).size).toBe(6 * shots);
  });

  it('draws by seed', () => {
    const ids = (seed: number): string[] =>
      fewShotSplits(examples, labels, { shots: 8, seed }).train.map(({ id }) => id);
    expect(ids(1)).toEqual(ids(1));
    expect(ids(2)).not.toEqual(ids(1));
    // Over seeds, all parts of the data are drawn from: 24 of 400 examples, 40 times.
    const drawn = new Set(Array.from({ length: 40 }, (_, seed) => ids(seed)).flat());
    expect(drawn.size).toBeGreaterThan(300);
  });

  it('mixes the classes', () => {
    const { train } = fewShotSplits(examples, labels, { shots: 16, seed: 3 });
    const changes = train.filter(({ label }, index) => index > 0 && train[index - 1]?.label !== label);
    expect(changes.length).toBeGreaterThan(10);
  });

  it('takes one example of a group, and counts all as one class where there are no classes', () => {
    const grouped = examples.map((example, index) => ({ ...example, group: `${index % 40}` }));
    const { train, validation } = fewShotSplits(grouped, [], { shots: 20, seed: 1 });
    const groups = [...train, ...validation].map(({ group }) => group);
    expect(groups).toHaveLength(40);
    expect(new Set(groups).size).toBe(40);
  });

  it('lets rare classes choose first', () => {
    // Both texts of the rare class occur in the frequent one too.
    const shared = ['a', 'b', 'c', 'd'].map((text, index) => ({ id: `${index}`, text, label: 0 }));
    const rare = ['a', 'b'].map((text, index) => ({ id: `rare ${index}`, text, label: 1 }));
    const { train, validation } = fewShotSplits([...shared, ...rare], ['often', 'rare'], {
      shots: 1,
      seed: 1,
    });
    expect([...train, ...validation].map(({ text }) => text).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('names the class with too few', () => {
    const draw = (): unknown => fewShotSplits(examples, labels, { shots: 32, seed: 1 });
    expect(draw).toThrow(DataError);
    expect(draw).toThrow(/class "rare": it has 40 different examples.*at most 20/);
    expect(() => fewShotSplits(examples.slice(0, 3), [], { shots: 4, seed: 1 })).toThrow(
      /training split: it has 3/,
    );
  });

  it.each([0, 33, 1.5, Number.NaN])('refuses %p shots', (shots) => {
    expect(() => fewShotSplits(examples, labels, { shots, seed: 1 })).toThrow(ConfigurationError);
  });
});
