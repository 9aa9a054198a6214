import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelError, type FrozenBackbone } from '@dynaprompt/core';
import { floatsOf, int64 } from '@dynaprompt/onnx-autodiff';
import type { HeadOptions } from '../backbone/head.js';
import { openTextBackbone } from '../open-text-backbone.js';
import {
  fixtureFile,
  runFile,
  SEQ2SEQ,
  splitDecoder,
  T5,
  textOf,
  wordOf,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { along, at, crossEntropy, derivative, distance, inner } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import { openSeq2SeqReference, type Seq2SeqReference } from '../testing/seq2seq-reference.js';
import type { TextExample } from '../tokenization/encode.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
const SLOTS = 3;
const WIDTH = 24;
const none = new Map<string, never>();
const template = '{text} wbk';
const [ASK, FIRST, SECOND, THIRD] = [36, 38, 39, 40];
const examples: TextExample[] = [{ text: textOf(10, 11, 12, 13) }, { text: textOf(20) }];
let folders = 0;

function open(
  head: HeadOptions,
  model: FixtureModel = T5,
  files = model.files,
): Promise<FrozenBackbone<TextExample>> {
  const folder = writeFixture(join(temporary.folder, `${(folders += 1)}`), { ...model, files });
  return openTextBackbone(folder, { head, reserve: SLOTS, threads: 1 });
}

describe.each(Object.keys(SEQ2SEQ))('%s without a prompt', (name) => {
  let reference: Seq2SeqReference;
  let model: FixtureModel;
  let texts: readonly (readonly number[])[];
  beforeAll(async () => {
    reference = await openSeq2SeqReference(name);
    model = reference.model;
    texts = [reference.framed(10, 11, 12, 13, ASK), reference.framed(20, ASK)];
  });
  afterAll(() => reference.release());

  it('reads words off the logits of the first word that the decoder says', async () => {
    const backbone = await open(
      { kind: 'verbalizer', template, words: [wordOf(FIRST), wordOf(SECOND)] },
      model,
    );
    const logits = await backbone.predict(examples, undefined, none);
    for (const [row, text] of texts.entries()) {
      const own = await reference.firstOf(text);
      const given = logits.subarray(2 * row, 2 * row + 2);
      expect(distance(given, [at(own, FIRST), at(own, SECOND)])).toBeLessThan(1e-5);
      expect(distance(given, [at(own, SECOND), at(own, FIRST)])).toBeGreaterThan(1e-3);
    }
    await backbone.release();
  });

  it('scores answers of several tokens, its own and those of the examples', async () => {
    const answers = [[FIRST, THIRD, FIRST], [SECOND], [THIRD, SECOND]];
    const words = answers.map((ids) => textOf(...ids));
    const chosen = await open({ kind: 'verbalizer', template, words }, model);
    const brought = await open({ kind: 'choices', template, classes: 3 }, model);
    const scores = await chosen.predict(examples, undefined, none);
    for (const [row, text] of texts.entries()) {
      const expected: number[] = [];
      for (const answer of answers) expected.push(await reference.likelihoodOf(text, answer));
      expect(distance(scores.subarray(3 * row, 3 * row + 3), expected)).toBeLessThan(2e-5);
    }
    const own = examples.map((example) => ({ ...example, choices: words }));
    expect(distance(await brought.predict(own, undefined, none), scores)).toBeLessThan(1e-5);
    await chosen.release();
    await brought.release();
  });

  it('has features and a linear head on the encoder, and then needs no decoder', async () => {
    const files = Object.fromEntries(Object.entries(model.files).slice(0, 1));
    const backbone = await open({ kind: 'linear', classes: 2 }, model, files);
    const text = reference.framed(10, 11, 12, 13);
    const hidden = await reference.hiddenOf(text);
    const mean = Array.from({ length: WIDTH }, (_, column) =>
      text.reduce((sum, _id, row) => sum + at(hidden, row * WIDTH + column) / text.length, 0),
    );
    expect(distance(await backbone.features(examples.slice(0, 1)), mean)).toBeLessThan(1e-5);
    await backbone.release();
    const words = [wordOf(FIRST), wordOf(SECOND)];
    const opening = open({ kind: 'verbalizer', template, words }, model, files);
    await expect(opening).rejects.toBeInstanceOf(ModelError);
    await expect(opening).rejects.toThrow(/onnx\/decoder_model\.onnx: the file is missing/);
  });
});

it.each([
  ['words', [wordOf(FIRST), wordOf(SECOND)]],
  ['phrases', [textOf(FIRST, THIRD), textOf(SECOND, FIRST)]],
])('learns to answer %s by prompts alone', async (_, words) => {
  const backbone = await open({ kind: 'verbalizer', template, words });
  const many = Array.from({ length: 6 }, (_example, index) => ({ text: textOf(8 + 4 * index, 10 + index) }));
  const labels = Int32Array.from(many, (_example, index) => index % 2);
  const prompts = normals('prompt', 6 * SLOTS * WIDTH, 0.3);
  const losses: number[] = [];
  for (let step = 0; step < 150; step++) {
    const plan = planOf({ batch: 6, slots: SLOTS, width: WIDTH, prompts });
    const request = { position: false, gates: false };
    const { loss, plan: gradient } = await backbone.differentiate(
      { examples: many, labels },
      plan,
      none,
      request,
    );
    losses.push(loss);
    gradient.prompts.forEach((slope, index) => (prompts[index] = at(prompts, index) - 10 * slope));
  }
  expect(at(losses, losses.length - 1)).toBeLessThan(0.8 * at(losses, 0));
  await backbone.release();
});

it.each(['t5', 'flan-t5'])('%s in two files gives the logits of one file of both', async (name) => {
  const folder = writeFixture(join(temporary.folder, name), { ...T5, files: {} });
  splitDecoder(fixtureFile(name), join(folder, 'onnx'), WIDTH);
  const head = { kind: 'verbalizer', template, words: [wordOf(FIRST), wordOf(SECOND)] } as const;
  const backbone = await openTextBackbone(folder, { head, reserve: SLOTS, threads: 1 });
  const logits = await backbone.predict(examples, undefined, none);
  const texts = [
    [10, 11, 12, 13, ASK, 1],
    [20, ASK, 1],
  ];
  for (const [row, text] of texts.entries()) {
    const dims = [1, text.length];
    const results = await runFile(fixtureFile(name), {
      input_ids: int64(text, dims),
      attention_mask: int64(new Int32Array(text.length).fill(1), dims),
      decoder_input_ids: int64([0], [1, 1]),
    });
    const own = floatsOf(results.logits);
    const expected = [at(own, FIRST), at(own, SECOND)];
    expect(distance(logits.subarray(2 * row, 2 * row + 2), expected)).toBeLessThan(1e-5);
  }
  const plan = planOf({
    batch: 2,
    slots: SLOTS,
    width: WIDTH,
    prompts: normals('p', 2 * SLOTS * WIDTH, 0.3),
  });
  const batch = { examples, labels: Int32Array.of(0, 1) };
  const { plan: gradient } = await backbone.differentiate(batch, plan, none, {
    position: false,
    gates: false,
  });
  const direction = normals('direction', plan.prompts.length, 0.3);
  const numeric = await derivative(async (step) => {
    const moved = { ...plan, prompts: along(plan.prompts, direction, step) };
    return crossEntropy(await backbone.predict(examples, moved, none), [0, 1]);
  }, 0.005);
  expect(Math.abs(inner(gradient.prompts, direction) - numeric)).toBeLessThan(
    0.02 * Math.abs(numeric) + 1e-4,
  );
  await backbone.release();
});
