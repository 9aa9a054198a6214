import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ModelError, type FrozenBackbone } from '@dynaprompt/core';
import { float32, floatsOf, int64 } from '@dynaprompt/onnx-autodiff';
import type { HeadOptions } from '../backbone/head.js';
import { openTextBackbone } from '../open-text-backbone.js';
import {
  fixtureFile,
  runFile,
  splitDecoder,
  T5,
  textOf,
  wordOf,
  writeFixture,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { along, at, crossEntropy, derivative, distance, inner } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
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
const texts = [
  [10, 11, 12, 13, ASK, 1],
  [20, ASK, 1],
];
let folders = 0;

function open(head: HeadOptions, files = T5.files): Promise<FrozenBackbone<TextExample>> {
  const folder = writeFixture(join(temporary.folder, `${(folders += 1)}`), { ...T5, files });
  return openTextBackbone(folder, { head, reserve: SLOTS, threads: 1 });
}

/** Last hidden state [T, d] of one text, by the encoder's file alone. */
async function hiddenOf(ids: readonly number[]): Promise<Float32Array> {
  const dims = [1, ids.length];
  const mask = int64(new Int32Array(ids.length).fill(1), dims);
  const results = await runFile(fixtureFile('t5-encoder'), {
    input_ids: int64(ids, dims),
    attention_mask: mask,
  });
  return floatsOf(results.last_hidden_state);
}

/** The decoder's logits [S, vocabulary] behind one text, by both files alone. */
async function logitsOf(text: readonly number[], decoded: readonly number[]): Promise<Float32Array> {
  const results = await runFile(fixtureFile('t5-decoder'), {
    encoder_hidden_states: float32(await hiddenOf(text), [1, text.length, WIDTH]),
    encoder_attention_mask: int64(new Int32Array(text.length).fill(1), [1, text.length]),
    input_ids: int64(decoded, [1, decoded.length]),
  });
  return floatsOf(results.logits);
}

async function likelihoodOf(text: readonly number[], answer: readonly number[]): Promise<number> {
  const logits = await logitsOf(text, [0, ...answer.slice(0, -1)]);
  return answer.reduce((sum, id, index) => {
    const row = Array.from(logits.subarray(index * 64, (index + 1) * 64));
    return sum + at(row, id) - Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
  }, 0);
}

describe('without a prompt', () => {
  it('reads words off the first logits of the decoder', async () => {
    const backbone = await open({ kind: 'verbalizer', template, words: [wordOf(FIRST), wordOf(SECOND)] });
    const logits = await backbone.predict(examples, undefined, none);
    for (const [row, text] of texts.entries()) {
      const own = await logitsOf(text, [0]);
      expect(distance(logits.subarray(2 * row, 2 * row + 2), [at(own, FIRST), at(own, SECOND)])).toBeLessThan(
        1e-5,
      );
    }
    await backbone.release();
  });

  it('scores answers of several tokens, its own and those of the examples', async () => {
    const answers = [[FIRST, THIRD, FIRST], [SECOND], [THIRD, SECOND]];
    const words = answers.map((ids) => textOf(...ids));
    const chosen = await open({ kind: 'verbalizer', template, words });
    const brought = await open({ kind: 'choices', template, classes: 3 });
    const scores = await chosen.predict(examples, undefined, none);
    for (const [row, text] of texts.entries()) {
      const expected: number[] = [];
      for (const answer of answers) expected.push(await likelihoodOf(text, answer));
      expect(distance(scores.subarray(3 * row, 3 * row + 3), expected)).toBeLessThan(2e-5);
    }
    const own = examples.map((example) => ({ ...example, choices: words }));
    expect(distance(await brought.predict(own, undefined, none), scores)).toBeLessThan(1e-5);
    await chosen.release();
    await brought.release();
  });

  it('has features and a linear head on the encoder, and then needs no decoder', async () => {
    const files = { 'encoder_model.onnx': 't5-encoder' };
    const backbone = await open({ kind: 'linear', classes: 2 }, files);
    const hidden = await hiddenOf([10, 11, 12, 13, 1]);
    const mean = Array.from({ length: WIDTH }, (_, column) =>
      [0, 1, 2, 3, 4].reduce((sum, row) => sum + at(hidden, row * WIDTH + column) / 5, 0),
    );
    expect(distance(await backbone.features(examples.slice(0, 1)), mean)).toBeLessThan(1e-5);
    await backbone.release();
    const opening = open({ kind: 'verbalizer', template, words: [wordOf(FIRST), wordOf(SECOND)] }, files);
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
