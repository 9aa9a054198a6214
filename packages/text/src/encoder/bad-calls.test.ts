import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ConfigurationError,
  DataError,
  ModelError,
  type FrozenBackbone,
  type PromptPlan,
} from '@dynaprompt/core';
import { InvalidInputError } from '@dynaprompt/onnx-autodiff';
import { miniBert } from '@dynaprompt/mini-models';
import { planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import type { HeadOptions } from '../backbone/head.js';
import { createTextEncoder, type TextEncoderOptions } from './text-encoder.js';

const WIDTH = 256;
const SLOTS = 4;
const linear: HeadOptions = { kind: 'linear', classes: 2 };

describe('opening', () => {
  const verbaliser = (words: readonly string[], template = '{text} It was {mask} .'): HeadOptions => ({
    kind: 'verbalizer',
    template,
    words,
  });
  const long = 'It was so '.repeat(12);
  const cases: [Partial<TextEncoderOptions>, RegExp][] = [
    [{ head: verbaliser(['good', 'unbelievable']) }, /"unbelievable".*splits it into 4 tokens/],
    [{ head: verbaliser(['good', '']) }, /"".*splits it into 0 tokens/],
    [{ head: verbaliser(['good', '東']) }, /"東".*does not know it/],
    [{ head: verbaliser(['good', 'bad', 'Good']) }, /two classes have the same token/],
    [{ head: verbaliser(['good']) }, /1 is not a number of classes/],
    [{ head: verbaliser(['good', 'bad'], 'It was {mask} .') }, /\{text\}/],
    [
      { head: verbaliser(['good', 'bad'], `{text} ${long} {mask}`), maximumTokens: 39 },
      /needs 40 tokens.*39/,
    ],
    [{ head: { kind: 'linear', classes: 1 } }, /1 is not a number of classes/],
    [{ head: { kind: 'linear', classes: 2.5 } }, /2.5 is not a number of classes/],
    [{ reserve: 121 }, /121 slots leave 7 of 128/],
    [{ reserve: -1 }, /-1 slots/],
    [{ reserve: 1.5 }, /1.5 slots/],
    [{ reserve: 8, maximumTokens: 121 }, /121 tokens do not fit beside 8.*128.*4 to 120/],
    [{ maximumTokens: 3 }, /3 tokens/],
  ];
  it.each(cases)('refuses %j', async (options, message) => {
    const opening = createTextEncoder(miniBert, { head: linear, reserve: SLOTS, ...options });
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
    await expect(opening).rejects.toThrow(/^@dynaprompt\/text: [^\n]+\.$/);
  });

  it('takes a template that fits exactly', async () => {
    const head = verbaliser(['good', 'bad'], `{text} ${long} {mask}`);
    const backbone = await createTextEncoder(miniBert, { head, reserve: SLOTS, maximumTokens: 40 });
    expect(backbone.lengthOf({ text: 'good good' })).toBe(40);
    await backbone.release();
  });
});

describe('calls', () => {
  let backbone: FrozenBackbone<TextExample>;
  beforeAll(async () => {
    backbone = await createTextEncoder(miniBert, { threads: 1, head: linear, reserve: SLOTS });
  });
  afterAll(() => backbone.release());

  const examples: TextExample[] = [
    { id: 'line 1', text: 'good' },
    { id: 'line 2', text: 'bad' },
  ];
  const good = planOf({
    batch: 2,
    slots: SLOTS,
    width: WIDTH,
    prompts: new Float32Array(2 * SLOTS * WIDTH),
    gates: new Array<number>(2 * SLOTS).fill(1),
  });
  const wrongPlans: [string, Partial<PromptPlan>, RegExp][] = [
    ['batch', { batch: 3 }, /for 3 examples, the batch has 2/],
    ['width', { width: 128 }, /128 wide, the backbone 256/],
    ['slots', { slots: 5 }, /5 slots, the backbone was opened for 4/],
    ['prompts', { prompts: new Float32Array(7) }, /7 prompt values/],
    ['gates', { gates: new Float32Array(7) }, /7 gates, not 8/],
    ['a gate', { gates: new Float32Array(8).fill(NaN) }, /NaN is no gate/],
    ['a negative gate', { gates: new Float32Array(8).fill(-1) }, /-1 is no gate/],
    ['choices', { position: { ...good.position, choice: Int32Array.of(1) } }, /1 choices of position, not 2/],
    ['a choice', { position: { ...good.position, choice: Int32Array.of(1, 5) } }, /candidate 5/],
    ['candidates', { position: { ...good.position, candidates: 4 } }, /4 position candidates, not 5/],
    ['anchors', { position: { ...good.position, mode: 'insert', candidates: 1 } }, /1 position candidates/],
  ];
  it.each(wrongPlans)('refuse a plan whose %s does not fit', async (_, change, message) => {
    const plan = { ...good, ...change };
    const request = { position: true, gates: true };
    const head = backbone.initialHead(1);
    for (const answer of [
      backbone.predict(examples, plan, head),
      backbone.differentiate({ examples, labels: Int32Array.of(0, 1) }, plan, head, request),
    ]) {
      await expect(answer).rejects.toThrow(message);
      await expect(answer).rejects.toBeInstanceOf(DataError);
    }
  });

  it.each([
    [[0, 2], /line 2: label 2 is not in 0\.\.1/],
    [[-1, 0], /line 1: label -1/],
    [[0], /line 2: label missing/],
    [[0, 1, 1], /3 for 2 examples/],
  ])('refuse the labels %j', async (labels, message) => {
    const batch = { examples, labels: Int32Array.from(labels) };
    const answer = backbone.differentiate(batch, good, backbone.initialHead(1), {
      position: false,
      gates: false,
    });
    await expect(answer).rejects.toThrow(message);
    await expect(answer).rejects.toBeInstanceOf(DataError);
  });

  it('refuse an empty batch, by a rejection', async () => {
    const head = backbone.initialHead(1);
    for (const answer of [
      backbone.features([]),
      backbone.pooled([]),
      backbone.predict([], undefined, head),
      backbone.differentiate({ examples: [], labels: new Int32Array() }, { ...good, batch: 0 }, head, {
        position: false,
        gates: false,
      }),
    ]) {
      await expect(answer).rejects.toThrow(/the batch is empty/);
      await expect(answer).rejects.toBeInstanceOf(DataError);
    }
  });

  it('refuse a head that is not of this backbone', async () => {
    const missing = backbone.predict(examples, undefined, new Map());
    await expect(missing).rejects.toThrow(/head\.weight/);
    await expect(missing).rejects.toBeInstanceOf(InvalidInputError);
    const other = new Map(backbone.initialHead(1)).set('head.bias', {
      shape: [3],
      values: new Float32Array(3),
    });
    await expect(backbone.predict(examples, undefined, other)).rejects.toThrow(/head\.bias.*\[3\]/);
  });
});

describe('release', () => {
  const open = (): ReturnType<typeof createTextEncoder> =>
    createTextEncoder(miniBert, { threads: 1, head: linear, reserve: SLOTS });
  const examples = [{ text: 'good' }];

  it('can be called twice, used or not', async () => {
    const unused = await open();
    await unused.release();
    await unused.release();
    const used = await open();
    await used.features(examples);
    await Promise.all([used.release(), used.release()]);
    await used.release();
  });

  it('makes every later use an error that says so', async () => {
    const backbone = await open();
    await backbone.features(examples);
    await backbone.release();
    const head = backbone.initialHead(1);
    const plan = planOf({ batch: 1, slots: 1, width: WIDTH, prompts: new Float32Array(WIDTH) });
    for (const answer of [
      backbone.features(examples),
      backbone.pooled(examples),
      backbone.predict(examples, undefined, head),
      backbone.promptRows(2, 0),
      backbone.differentiate({ examples, labels: Int32Array.of(0) }, plan, head, {
        position: true,
        gates: true,
      }),
    ]) {
      await expect(answer).rejects.toThrow(/mini-bert: the backbone was released/);
      await expect(answer).rejects.toBeInstanceOf(ModelError);
    }
  });

  it('while a call is under way ends that call one way or the other', async () => {
    const backbone = await open();
    const calls = Promise.allSettled([backbone.features(examples), backbone.promptRows(2, 0)]);
    await backbone.release();
    expect(await calls).toHaveLength(2);
    await expect(backbone.features(examples)).rejects.toBeInstanceOf(ModelError);
  });
});
