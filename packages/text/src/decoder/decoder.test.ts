import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone, PromptPlan } from '@dynaprompt/core';
import type { TextBackboneOptions } from '../backbone/adapter.js';
import { openTextBackbone } from '../open-text-backbone.js';
import { likelihoodOf, logitsOf } from '../testing/decoder-file.js';
import {
  DECODERS,
  fixtureFile,
  splitEmbeddings,
  textOf,
  wordOf,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { at, distance } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
const SLOTS = 3;
const none = new Map<string, never>();
const question = '{text} wbk wbl';
/** Ids of `wbk`, `wbl` and of the answers. */
const [ASK, LAST, FIRST, SECOND, THIRD] = [36, 37, 38, 39, 40];
let folders = 0;

function open(
  model: FixtureModel | undefined,
  options: Partial<TextBackboneOptions>,
): Promise<FrozenBackbone<TextExample>> {
  if (!model) throw new Error('no such fixture');
  const folder = writeFixture(join(temporary.folder, `${(folders += 1)}`), model);
  const head = { kind: 'verbalizer', template: question, words: [wordOf(FIRST), wordOf(SECOND)] } as const;
  return openTextBackbone(folder, { head, reserve: SLOTS, threads: 1, ...options });
}

describe.each(Object.entries(DECODERS))('%s', (_, model) => {
  const fixture = Object.values(model.files)[0] ?? '';
  const start = model.frames.single.startsWith('[BOS]') ? [1] : [];
  const examples = [{ text: textOf(10, 11, 12, 13) }, { text: textOf(20) }];
  const texts = [
    [...start, 10, 11, 12, 13, ASK, LAST],
    [...start, 20, ASK, LAST],
  ];

  it('reads words off the logits at the last token', async () => {
    const backbone = await open(model, {});
    const logits = await backbone.predict(examples, undefined, none);
    for (const [row, ids] of texts.entries()) {
      const own = await logitsOf(fixture, ids);
      const last = (ids.length - 1) * 64;
      const expected = [at(own, last + FIRST), at(own, last + SECOND)];
      expect(distance(logits.subarray(2 * row, 2 * row + 2), expected)).toBeLessThan(2e-6);
      expect(distance(logits.subarray(2 * row, 2 * row + 2), expected.reverse())).toBeGreaterThan(1e-3);
    }
    await backbone.release();
  });

  it('scores answers of several tokens by their log-likelihood', async () => {
    const answers = [[FIRST, THIRD, FIRST], [SECOND], [THIRD, SECOND]];
    const words = answers.map((ids) => textOf(...ids));
    const chosen = await open(model, { head: { kind: 'verbalizer', template: `${question} {mask}`, words } });
    const brought = await open(model, { head: { kind: 'choices', template: question, classes: 3 } });
    const scores = await chosen.predict(examples, undefined, none);
    for (const [row, text] of texts.entries()) {
      const expected: number[] = [];
      for (const answer of answers) expected.push(await likelihoodOf(fixture, text, answer));
      expect(distance(scores.subarray(3 * row, 3 * row + 3), expected)).toBeLessThan(1e-5);
    }
    const [first = { text: '' }, second = { text: '' }] = examples;
    const own = [
      { ...first, choices: words },
      { ...second, choices: words.slice(0, 2) },
    ];
    const choices = await brought.predict(own, undefined, none);
    expect(distance(choices.subarray(0, 5), scores.subarray(0, 5))).toBeLessThan(1e-6);
    // Of the second example there is no third choice.
    expect(at(choices, 5)).toBeLessThan(-1e8);
    await chosen.release();
    await brought.release();
  });
});

const plan = (width: number, gates?: readonly number[]): PromptPlan =>
  planOf({
    batch: 2,
    slots: SLOTS,
    width,
    prompts: normals('prompts', 2 * SLOTS * width, 0.3),
    choice: [1, 2],
    ...(gates ? { gates } : {}),
  });
const batch = {
  examples: [{ text: textOf(10, 11, 12, 13, 14) }, { text: textOf(20) }],
  labels: Int32Array.of(0, 1),
};
const request = { position: true, gates: true };

describe('padding', () => {
  it.each(['llama', 'mistral', 'qwen2', 'qwen3'])('of %s on either side is the same', async (name) => {
    for (const words of [
      [wordOf(FIRST), wordOf(SECOND)],
      [textOf(FIRST, THIRD, SECOND), wordOf(SECOND)],
    ]) {
      const head = { kind: 'verbalizer', template: question, words } as const;
      const [right, left] = [
        await open(DECODERS[name], { head }),
        await open(DECODERS[name], { head, padding: 'left' }),
      ];
      for (const gates of [undefined, [1, 1, 0.2, 1, 0.4, 0]]) {
        const own = plan(right.width, gates);
        const [a, b] = [
          await right.predict(batch.examples, own, none),
          await left.predict(batch.examples, own, none),
        ];
        expect(distance(a, b)).toBeLessThan(1e-5);
        const steps = [
          await right.differentiate(batch, own, none, request),
          await left.differentiate(batch, own, none, request),
        ];
        const [first, second] = steps.map(({ plan: gradient }) => gradient);
        expect(distance(first?.prompts ?? [], second?.prompts ?? [])).toBeLessThan(1e-5);
        expect(distance(first?.position ?? [], second?.position ?? [])).toBeLessThan(2e-5);
        if (gates) expect(distance(first?.gates ?? [], second?.gates ?? [])).toBeLessThan(1e-4);
      }
      await right.release();
      await left.release();
    }
  });
});

it('takes token embeddings from a file of their own', async () => {
  const whole = await open(DECODERS.llama, {});
  const model = DECODERS.llama ?? { files: {} };
  const folder = writeFixture(join(temporary.folder, 'split'), { ...(model as FixtureModel), files: {} });
  splitEmbeddings(fixtureFile('llama'), join(folder, 'onnx'), '/embed_tokens/Gather_output_0', 32);
  const split = await openTextBackbone(folder, {
    head: { kind: 'verbalizer', template: question, words: [wordOf(FIRST), wordOf(SECOND)] },
    reserve: SLOTS,
    threads: 1,
  });
  const own = plan(32);
  const [first, second] = [
    await whole.differentiate(batch, own, none, request),
    await split.differentiate(batch, own, none, request),
  ];
  expect(distance(first.logits, second.logits)).toBeLessThan(1e-6);
  expect(distance(first.plan.prompts, second.plan.prompts)).toBeLessThan(1e-6);
  expect(distance(await whole.promptRows(5, 3), await split.promptRows(5, 3))).toBe(0);
  expect(split.description.parameters).toBe(whole.description.parameters);
  await whole.release();
  await split.release();
});

it('lets a token that is off show what it would do, where positions are told', async () => {
  const backbone = await open(DECODERS.llama, {});
  const { plan: gradient } = await backbone.differentiate(batch, plan(32, [1, 0, 0, 1, 1, 0]), none, request);
  for (const slot of [1, 2, 5]) expect(Math.abs(at(gradient.gates ?? [], slot))).toBeGreaterThan(1e-5);
  await backbone.release();
});

it('learns a toy language by its prompt alone', async () => {
  const backbone = await open(DECODERS.llama, {});
  const width = backbone.width;
  // The answer is the second word if the text begins with one of the upper half of the vocabulary.
  const examples = Array.from({ length: 12 }, (_, index) => ({ text: textOf(8 + 4 * index, 10 + index) }));
  const labels = Int32Array.from(examples, (_, index) => (index < 6 ? 0 : 1));
  const prompt = normals('prompt', SLOTS * width, 0.3);
  const losses: number[] = [];
  for (let step = 0; step < 150; step++) {
    const prompts = Float32Array.from({ length: 12 * prompt.length }, (_, index) =>
      at(prompt, index % prompt.length),
    );
    const own = planOf({ batch: 12, slots: SLOTS, width, prompts });
    const { loss, plan: gradient } = await backbone.differentiate({ examples, labels }, own, none, {
      position: false,
      gates: false,
    });
    losses.push(loss);
    gradient.prompts.forEach((slope, index) => {
      const place = index % prompt.length;
      prompt[place] = at(prompt, place) - 0.5 * slope;
    });
  }
  expect(at(losses, losses.length - 1)).toBeLessThan(0.5 * at(losses, 0));
  await backbone.release();
});
