import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError, nullThrows } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import type { TextBackbone, TextBackboneOptions } from '../backbone/adapter.js';
import type { HeadOptions, VerbalizerHeadOptions } from '../backbone/head.js';
import { openTextBackbone } from '../open-text-backbone.js';
import { likelihoodOf } from '../testing/decoder-file.js';
import { DECODERS, T5, textOf, wordOf, writeFixture, type FixtureModel } from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { along, at, crossEntropy, derivative, distance, inner } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import { calibrationBiases } from './biases.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
let folders = 0;
const folderOf = (model: FixtureModel | undefined): string =>
  writeFixture(join(temporary.folder, `${(folders += 1)}`), nullThrows(model, 'no such fixture'));
const open = (
  folder: string,
  head: HeadOptions,
  options: Partial<TextBackboneOptions> = {},
): Promise<TextBackbone> => openTextBackbone(folder, { head, reserve: 4, threads: 1, ...options });

const none = new Map<string, never>();
const contentFree = [wordOf(50), textOf(51, 52), ''];
const words = { kind: 'verbalizer', template: '{text} wbk', words: ['wbm', 'wbn', 'wbo'] } as const;
const phrases = { ...words, words: ['wbm wbo wbp', 'wbn', 'wbo wbp'] };
const masked = {
  kind: 'verbalizer',
  template: '{text} It was {mask} .',
  words: ['bad', 'good', 'fine'],
} as const;
const english = ['N/A', '[MASK]', ''];

const cases: readonly (readonly [string, string, VerbalizerHeadOptions, readonly string[], string])[] = [
  ['an encoder', miniBert, masked, english, 'a gorgeous film'],
  ['a decoder and words', folderOf(DECODERS.llama), words, contentFree, textOf(10, 11)],
  ['a decoder and phrases', folderOf(DECODERS.llama), phrases, contentFree, textOf(10, 11)],
  ['T5 and words', folderOf(T5), words, contentFree, textOf(10, 11)],
  ['T5 and phrases', folderOf(T5), phrases, contentFree, textOf(10, 11)],
];

/** Probabilities of logits, in double precision. */
function softmax(logits: ArrayLike<number>): number[] {
  const shares = Array.from(logits, Math.exp);
  const total = shares.reduce((left, right) => left + right, 0);
  return shares.map((share) => share / total);
}

describe.each(cases)('%s', (_, folder, head, texts, text) => {
  it('is calibrated in context: probabilities are divided by those of texts that say nothing', async () => {
    const plain = await open(folder, head);
    const calibrated = await open(folder, { ...head, calibration: 'contextual', contentFree: texts });
    const free: number[][] = [];
    for (const one of texts) free.push(softmax(await plain.predict([{ text: one }], undefined, none)));
    const own = softmax(await plain.predict([{ text }], undefined, none));
    const weighed = own.map(
      (share, index) => share / (free.reduce((sum, row) => sum + at(row, index), 0) / free.length),
    );
    const total = weighed.reduce((left, right) => left + right, 0);
    const logits = await calibrated.predict([{ text }], undefined, none);
    expect(
      distance(
        softmax(logits),
        weighed.map((share) => share / total),
      ),
    ).toBeLessThan(1e-5);
    expect(distance(softmax(logits), own)).toBeGreaterThan(1e-4);
    await plain.release();
    await calibrated.release();
  });

  it('finds with pmi nothing in an empty text', async () => {
    const calibrated = await open(folder, { ...head, calibration: 'pmi' });
    const logits = await calibrated.predict([{ text: '' }], undefined, none);
    expect(distance(softmax(logits), [1 / 3, 1 / 3, 1 / 3])).toBeLessThan(1e-5);
    await calibrated.release();
  });

  it('trains against calibrated logits', async () => {
    const calibrated = await open(folder, { ...head, calibration: 'pmi' });
    const { width } = calibrated;
    const prompts = normals('prompts', 3 * width, 0.3);
    const plan = (values: Float32Array) =>
      planOf({ batch: 1, slots: 3, width, prompts: values, choice: [2] });
    const batch = { examples: [{ text }], labels: Int32Array.of(1) };
    const request = { position: false, gates: false };
    const step = await calibrated.differentiate(batch, plan(prompts), none, request);
    expect(step.loss).toBeCloseTo(crossEntropy(step.logits, [1]), 5);
    expect(distance(step.logits, await calibrated.predict([{ text }], plan(prompts), none))).toBeLessThan(
      1e-4,
    );
    const direction = normals('direction', prompts.length, 0.3);
    const lossAt = async (shift: number): Promise<number> => {
      const moved = plan(along(prompts, direction, shift));
      return crossEntropy((await calibrated.differentiate(batch, moved, none, request)).logits, [1]);
    };
    // Steps may cross kinks of ReLU: a right slope is that of one of them.
    const errors: number[] = [];
    for (const size of [0.01, 0.003, 0.001]) {
      const slope = await derivative(lossAt, size);
      errors.push(Math.abs(inner(step.plan.prompts, direction) - slope) / (0.02 * Math.abs(slope) + 2e-4));
    }
    expect(Math.min(...errors)).toBeLessThan(1);
    await calibrated.release();
  });

  it('gives the same bits when it is opened with what it has saved', async () => {
    const first = await open(folder, { ...head, calibration: 'contextual', contentFree: texts });
    expect(first.head).toMatchObject({ ...head, calibration: 'contextual' });
    const saved = JSON.parse(JSON.stringify(first.head)) as HeadOptions;
    // Nothing is computed again: the texts do not matter any more.
    const second = await open(folder, { ...saved, contentFree: ['a'] } as HeadOptions);
    expect(await second.predict([{ text }], undefined, none)).toEqual(
      await first.predict([{ text }], undefined, none),
    );
    expect(second.head).toMatchObject({ biases: (first.head as VerbalizerHeadOptions).biases });
    expect(second.identify({ text })).toBe(first.identify({ text }));
    await first.release();
    await second.release();
  });
});

it('is with pmi log p(answer | text) − log p(answer | premise), by the file alone', async () => {
  const answers = [[38, 40, 41], [39], [40, 41]];
  const template = '{text} wbk';
  for (const score of ['sum', 'mean'] as const) {
    const backbone = await open(folderOf(DECODERS.llama), {
      ...phrases,
      template,
      calibration: 'pmi',
      score,
    });
    const logits = await backbone.predict([{ text: textOf(10, 11) }], undefined, none);
    const expected: number[] = [];
    for (const answer of answers) {
      const gain =
        (await likelihoodOf('llama', [1, 10, 11, 36], answer)) -
        (await likelihoodOf('llama', [1, 36], answer));
      expected.push(score === 'mean' ? gain / answer.length : gain);
    }
    expect(distance(softmax(logits), softmax(expected))).toBeLessThan(1e-5);
    await backbone.release();
  }
});

describe('the mean score of answers', () => {
  it.each([
    ['a decoder', DECODERS.llama],
    ['T5', T5],
  ])('of %s is the sum by the number of tokens, as phrases and as choices', async (_, model) => {
    const folder = folderOf(model);
    const [sum, mean] = [await open(folder, phrases), await open(folder, { ...phrases, score: 'mean' })];
    const example = { text: textOf(10, 11), choices: phrases.words };
    const choices = await open(folder, {
      kind: 'choices',
      template: words.template,
      classes: 4,
      score: 'mean',
    });
    const whole = await sum.predict([example], undefined, none);
    const shares = await mean.predict([example], undefined, none);
    expect(distance(shares, [at(whole, 0) / 3, at(whole, 1), at(whole, 2) / 2])).toBeLessThan(1e-6);
    const brought = await choices.predict([example], undefined, none);
    expect(distance(brought.subarray(0, 3), shares)).toBeLessThan(1e-6);
    expect(at(brought, 3)).toBeLessThan(-1e8);
    for (const backbone of [sum, mean, choices]) await backbone.release();
  });
});

it('takes a pair of texts that say nothing', async () => {
  const head = { ...masked, template: '{text} ? {mask} , {pair}' };
  const plain = await open(miniBert, head);
  const calibrated = await open(miniBert, { ...head, calibration: 'contextual', contentFree: ['N/A'] });
  const [free, own] = [
    await plain.predict([{ text: 'N/A', pair: 'N/A' }], undefined, none),
    await plain.predict([{ text: 'good', pair: 'bad' }], undefined, none),
  ];
  const expected = softmax(own.map((value, index) => value - at(free, index)));
  const logits = await calibrated.predict([{ text: 'good', pair: 'bad' }], undefined, none);
  expect(distance(softmax(logits), expected)).toBeLessThan(1e-5);
  await plain.release();
  await calibrated.release();
});

it('computes biases of several texts by arithmetic and geometric means', () => {
  // Probabilities 1/4, 3/4 and 3/4, 1/4, and once more 1/4, 3/4.
  const third = Math.log(3);
  const logits = Float32Array.of(0, third, third, 0, 5, 5 + third);
  const contextual = calibrationBiases('contextual', logits, 2);
  expect(at(contextual, 0)).toBeCloseTo(-Math.log(5 / 12), 6);
  expect(at(contextual, 1)).toBeCloseTo(-Math.log(7 / 12), 6);
  const pmi = calibrationBiases('pmi', logits, 2);
  expect(at(pmi, 0) - at(pmi, 1)).toBeCloseTo(third / 3, 6);
  expect(contextual.map(Math.fround)).toEqual(contextual);
});

it.each([
  [{ biases: [0, 0, 0] }, /biases: there is no calibration/],
  [{ calibration: 'pmi', biases: [0, 0] }, /biases: \[0, 0\] are not 3 numbers/],
  [{ calibration: 'pmi', biases: [0, NaN, 0] }, /are not 3 numbers/],
  [{ calibration: 'pmi', contentFree: [] }, /contentFree: there is no text/],
] as const)('refuses %j', async (options, message) => {
  const opening = open(miniBert, { ...masked, ...options });
  await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
  await expect(opening).rejects.toThrow(message);
});

it('names the text that leaves no token', async () => {
  const opening = open(folderOf(DECODERS.gpt2), { ...words, template: '{text}', calibration: 'pmi' });
  await expect(opening).rejects.toBeInstanceOf(DataError);
  await expect(opening).rejects.toThrow(/content-free "".*no token/);
});
