import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError, ModelError, type FrozenBackbone } from '@dynaprompt/core';
import { openTextBackbone } from '../open-text-backbone.js';
import { createTextEncoder } from '../encoder/text-encoder.js';
import {
  DECODERS,
  ENCODERS,
  SEQ2SEQ,
  T5,
  textOf,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { along, at, crossEntropy, derivative, distance, inner } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import type { TextBackboneOptions } from './adapter.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
let folders = 0;
const folderOf = (model: FixtureModel | undefined, config: object = {}): string => {
  if (!model) throw new Error('no such fixture');
  const folder = `${temporary.folder}/${(folders += 1)}`;
  return writeFixture(folder, { ...model, config: { ...model.config, ...config } });
};
const open = (
  model: FixtureModel | undefined,
  options: Pick<TextBackboneOptions, 'head'> & Partial<TextBackboneOptions>,
): Promise<FrozenBackbone<TextExample>> =>
  openTextBackbone(folderOf(model), { reserve: 4, threads: 1, ...options });

const models: readonly (readonly [string, FixtureModel | undefined])[] = [
  ['a decoder', DECODERS.llama],
  ['an encoder with a decoder', T5],
  ['one that begins answers with <s>', SEQ2SEQ.bart],
];

describe.each(models)('%s', (_, model) => {
  const words = ['wbm', 'wbn'];
  const examples: TextExample[] = [
    { text: textOf(10, 11, 12), choices: words },
    { text: textOf(20), choices: words },
  ];
  const batch = { examples, labels: Int32Array.of(1, 0) };
  const request = { position: true, gates: true };

  it('differentiates answers of one token alike, as words and as choices', async () => {
    const template = '{text} wbk';
    const [first, second] = [
      await open(model, { head: { kind: 'verbalizer', template, words } }),
      await open(model, { head: { kind: 'choices', template, classes: 2 } }),
    ];
    const plan = planOf({
      batch: 2,
      slots: 3,
      width: first.width,
      prompts: normals('prompts', 6 * first.width, 0.3),
      choice: [1, 2],
      gates: [1, 0.8, 0.3, 1, 0, 0],
    });
    const one = await first.differentiate(batch, plan, new Map(), request);
    const other = await second.differentiate(batch, plan, new Map(), request);
    expect(Math.abs(one.loss - other.loss)).toBeLessThan(1e-5);
    expect(distance(one.plan.prompts, other.plan.prompts)).toBeLessThan(1e-5);
    expect(distance(one.plan.position ?? [], other.plan.position ?? [])).toBeLessThan(1e-4);
    expect(distance(one.plan.gates ?? [], other.plan.gates ?? [])).toBeLessThan(1e-4);
    await first.release();
    await second.release();
  });

  it('sees no use in moving a prompt among texts of the same word', async () => {
    const backbone = await open(model, { head: { kind: 'verbalizer', template: '{text}', words } });
    const { width } = backbone;
    // Rows of ordinary words follow those of special tokens, a and b.
    const before = Object.keys(model?.special ?? {}).length + 2;
    const word = (await backbone.promptRows(1, 10 - before)).slice();
    const prompts = Float32Array.from({ length: 2 * width }, (_value, index) => at(word, index % width));
    const plan = planOf({ batch: 1, slots: 2, width, prompts, choice: [1] });
    const same = { examples: [{ text: textOf(10, 10, 10, 10) }], labels: Int32Array.of(0) };
    const { plan: gradient } = await backbone.differentiate(same, plan, new Map(), request);
    const [none = NaN, first = NaN, both = NaN] = gradient.position ?? [];
    expect(Math.max(Math.abs(none - first), Math.abs(both - first))).toBeLessThan(1e-5);
    const moved = { ...same, examples: [{ text: textOf(10, 30, 40, 10) }] };
    const other = await backbone.differentiate(moved, plan, new Map(), request);
    expect(Math.abs(at(other.plan.position ?? [], 0) - at(other.plan.position ?? [], 2))).toBeGreaterThan(
      1e-4,
    );
    await backbone.release();
  });

  it('can be fine-tuned', async () => {
    const backbone = await open(model, { head: { kind: 'verbalizer', template: '{text} wbk', words } });
    const tuning = await backbone.fineTuning?.();
    if (!tuning) throw new Error('it cannot');
    const weights = tuning.initialWeights();
    const step = await tuning.differentiate(batch, weights, new Map());
    expect(distance(step.logits, await backbone.predict(examples, undefined, new Map()))).toBeLessThan(1e-5);
    const [name = ''] = [...weights.keys()].filter((key) => (weights.get(key)?.values.length ?? 0) > 500);
    const tensor = weights.get(name) ?? { shape: [], values: new Float32Array() };
    const direction = normals('direction', tensor.values.length, 0.1);
    const numeric = await derivative(async (shift) => {
      const moved = new Map(weights).set(name, { ...tensor, values: along(tensor.values, direction, shift) });
      return crossEntropy(await tuning.predict(examples, moved, new Map()), [1, 0]);
    }, 0.005);
    const analytic = inner(step.weights.get(name) ?? [], direction);
    expect(Math.abs(analytic - numeric)).toBeLessThan(0.02 * Math.abs(numeric) + 1e-4);
    await tuning.release();
    await backbone.release();
  });

  it.each([
    [{ text: textOf(10) }, /it has 0 choices, not 1 to 2/],
    [{ text: textOf(10), choices: ['wbm', 'wbn', 'wbo'] }, /it has 3 choices/],
    [{ text: textOf(10), choices: ['wbm', ''] }, /its choice "" has no token/],
    [{ text: textOf(10), pair: 'a' }, /choices/],
  ] as const)('refuses %j', async (example, message) => {
    const backbone = await open(model, { head: { kind: 'choices', template: '{text}', classes: 2 } });
    const answer = backbone.predict([example], undefined, new Map());
    await expect(answer).rejects.toThrow(message);
    await expect(answer).rejects.toBeInstanceOf(DataError);
    await backbone.release();
  });

  it.each([
    [
      { kind: 'verbalizer', template: '{text} {mask} a', words: ['wbm', 'wbn'] },
      /nothing can stand behind \{mask\}/,
    ],
    [{ kind: 'verbalizer', template: 'a {mask}', words: ['wbm', 'wbn'] }, /\{text\} has to stand in it once/],
    [{ kind: 'verbalizer', template: '{text}', words: ['wbm', 'unheard'] }, /"unheard".*does not know it/],
    [{ kind: 'verbalizer', template: '{text}', words: ['wbm wbn', 'wbm wbn'] }, /two classes/],
    [{ kind: 'verbalizer', template: '{text}', words: ['wbm', ''] }, /splits it into 0 tokens/],
    [{ kind: 'choices', template: '{text}', classes: 1 }, /1 is not a number of classes/],
  ] as const)('refuses the head %j', async (head, message) => {
    const opening = open(model, { head });
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
  });
});

it.each([
  ['bert', { kind: 'choices', template: '{text} {mask}', classes: 2 }, /no likelihood/],
  ['bert', { kind: 'linear', classes: 2, pooling: 'last' }, /pooling last/],
  ['llama', { kind: 'linear', classes: 2, pooling: 'cls' }, /pooling cls/],
] as const)('refuses for %s the head %j', async (name, head, message) => {
  const opening = open(ENCODERS[name] ?? DECODERS[name], { head });
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
});

describe('families', () => {
  const head = { kind: 'linear', classes: 2 } as const;

  it('that no adapter takes are refused with a list of those that there are', async () => {
    const folder = folderOf(ENCODERS.bert, { model_type: 'mamba' });
    const opening = openTextBackbone(folder, { head, reserve: 4 });
    await expect(opening).rejects.toBeInstanceOf(ModelError);
    await expect(opening).rejects.toThrow(/family 'mamba' are not supported.*bert.*gpt2.*llama.*t5/);
  });

  it.each(['constructor', '__proto__'])('called %s are refused', async (family) => {
    const folder = folderOf(ENCODERS.bert, { model_type: family });
    await expect(openTextBackbone(folder, { head, reserve: 4 })).rejects.toThrow(/are not supported/);
  });

  it('of decoders are refused by createTextEncoder, which names the way', async () => {
    const opening = createTextEncoder(folderOf(DECODERS.gpt2), { head, reserve: 4 });
    await expect(opening).rejects.toThrow(/family 'gpt2' are not supported here.*openTextBackbone/);
  });

  it('that see all of a text take no padding on the left', async () => {
    for (const model of [ENCODERS.bert, T5])
      await expect(open(model, { head, padding: 'left' })).rejects.toThrow(/begin at the left/);
  });
});

it('needs a token where there is no prompt', async () => {
  const backbone = await open(DECODERS.gpt2, { head: { kind: 'linear', classes: 2 } });
  const answer = backbone.features([{ id: 'line 3', text: '' }]);
  await expect(answer).rejects.toThrow(/line 3: it has no token/);
  await expect(answer).rejects.toBeInstanceOf(DataError);
  await backbone.release();
});
