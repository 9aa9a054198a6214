import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, type FrozenBackbone, type PromptPlan } from '@dynaprompt/core';
import type { HeadOptions } from '../backbone/head.js';
import { openTextBackbone } from '../open-text-backbone.js';
import { writeCountingLlama, type Counting } from '../testing/counting-exports.js';
import { DECODERS, textOf, writeFixture, type FixtureModel } from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { at, crossEntropy, distance } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
const SLOTS = 3;
const WIDTH = 32;
const labels = [1, 0];
const batch = {
  examples: [{ text: textOf(10, 11, 12, 13, 14) }, { text: textOf(20, 21) }],
  labels: Int32Array.from(labels),
};
const request = { position: true, gates: true };
const prompts = normals('prompts', 2 * SLOTS * WIDTH, 0.3);
const words: HeadOptions = { kind: 'verbalizer', template: '{text} wbk', words: ['wbm', 'wbn'] };
const phrases: HeadOptions = { ...words, words: ['wbm wbo', 'wbn'] };
const linear: HeadOptions = { kind: 'linear', classes: 2 };

let folders = 0;
function open(
  model: FixtureModel | undefined,
  counting?: Counting,
  head = words,
  padding: 'left' | 'right' = 'right',
): Promise<FrozenBackbone<TextExample>> {
  if (!model) throw new Error('no such fixture');
  const folder = writeFixture(join(temporary.folder, `${(folders += 1)}`), model);
  if (counting) writeCountingLlama(join(folder, 'onnx/model.onnx'), counting);
  return openTextBackbone(folder, { head, reserve: SLOTS, threads: 1, padding });
}

function planWith(gates?: readonly number[]): PromptPlan {
  const parts = { batch: 2, slots: SLOTS, width: WIDTH, prompts, choice: [1, 2] };
  return planOf({ ...parts, ...(gates ? { gates } : {}) });
}

/** Derivative at 0 from values at 0, h, 2h, 4h and 8h (Richardson, error O(h⁴)): a gate has no values below 0. */
async function slopeAtZero(f: (step: number) => Promise<number>, h: number): Promise<number> {
  const start = await f(0);
  let rows: number[] = [];
  for (const step of [h, 2 * h, 4 * h, 8 * h]) rows.push(((await f(step)) - start) / step);
  for (const weight of [2, 4, 8])
    rows = rows.slice(1).map((far, index) => (weight * at(rows, index) - far) / (weight - 1));
  return at(rows, 0);
}

const counting: readonly (readonly [string, FixtureModel | undefined, Counting?])[] = [
  ['gpt2', DECODERS.gpt2],
  ['gpt2, merged', DECODERS['gpt2, merged']],
  ['opt', DECODERS.opt],
  ['llama that counts tokens', DECODERS.llama, 'row'],
  ['llama that counts the mask', DECODERS.llama, 'mask'],
  ['llama with stored sines', DECODERS.llama, 'tables'],
];

describe.each(counting)('%s', (_, model, how) => {
  it.each([
    ['words', words],
    ['phrases', phrases],
    ['a linear head', linear],
  ])('has with %s a gradient for gates of 0 that is the slope there', async (_name, headOptions) => {
    const backbone = await open(model, how, headOptions);
    const head = backbone.initialHead(1);
    head.get('head.weight')?.values.set(normals('weight', 2 * WIDTH, 0.2));
    const gates = [1, 0, 0, 0, 0, 0];
    const { plan } = await backbone.differentiate(batch, planWith(gates), head, request);
    const lossOf = async (slot: number, step: number): Promise<number> => {
      const moved = planWith(gates.with(slot, step));
      return crossEntropy((await backbone.differentiate(batch, moved, head, request)).logits, labels);
    };
    let largest = 0;
    for (const slot of [1, 2, 4]) {
      const slope = at(plan.gates ?? [], slot);
      // OPT has kinks (ReLU) and sharp attention: a right slope is that of one of the steps.
      const errors: number[] = [];
      for (const step of [0.003, 0.0003]) {
        const numeric = await slopeAtZero((shift) => lossOf(slot, shift), step);
        errors.push(Math.abs(slope - numeric) / (0.01 * Math.abs(numeric) + 2e-4 + 1e-7 / step));
      }
      expect(Math.min(...errors)).toBeLessThan(1);
      largest = Math.max(largest, Math.abs(slope));
    }
    expect(largest).toBeGreaterThan(1e-2);
    await backbone.release();
  });

  it('gives with padding on either side the same', async () => {
    const [right, left] = [await open(model, how), await open(model, how, words, 'left')];
    for (const plan of [planWith(), planWith([1, 0.7, 0.2, 0, 0, 0])]) {
      const [a, b] = [
        await right.predict(batch.examples, plan, new Map()),
        await left.predict(batch.examples, plan, new Map()),
      ];
      expect(distance(a, b)).toBeLessThan(1e-5);
      const steps = [
        await right.differentiate(batch, plan, new Map(), request),
        await left.differentiate(batch, plan, new Map(), request),
      ];
      expect(distance(steps[0]?.plan.prompts ?? [], steps[1]?.plan.prompts ?? [])).toBeLessThan(1e-5);
    }
    await right.release();
    await left.release();
  });
});

it.each(['row', 'mask', 'tables', 'outer'] as const)(
  'tells a llama that counts (%s) what one that is told does',
  async (how) => {
    const [told, counts] = [await open(DECODERS.llama), await open(DECODERS.llama, how)];
    const plan = planWith();
    const step = await told.differentiate(batch, plan, new Map(), request);
    const other = await counts.differentiate(batch, plan, new Map(), request);
    expect(distance(step.logits, other.logits)).toBeLessThan(1e-5);
    expect(distance(step.plan.prompts, other.plan.prompts)).toBeLessThan(1e-5);
    if (how !== 'outer') {
      const gated = planWith([1, 0, 0, 1, 1, 0]);
      const [one, two] = [
        await told.differentiate(batch, gated, new Map(), request),
        await counts.differentiate(batch, gated, new Map(), request),
      ];
      expect(distance(one.plan.gates ?? [], two.plan.gates ?? [])).toBeLessThan(1e-5);
    }
    await told.release();
    await counts.release();
  },
);

describe('an export whose positions cannot be told', () => {
  it('refuses gates in training, and takes them in prediction', async () => {
    const backbone = await open(DECODERS.llama, 'outer');
    const gated = planWith([1, 1, 0, 1, 0, 0]);
    const training = backbone.differentiate(batch, gated, new Map(), request);
    await expect(training).rejects.toBeInstanceOf(ConfigurationError);
    await expect(training).rejects.toThrow(/model\.onnx.*no gradient.*position_ids/);
    const told = await open(DECODERS.llama);
    const [a, b] = [
      await backbone.predict(batch.examples, gated, new Map()),
      await told.predict(batch.examples, gated, new Map()),
    ];
    expect(distance(a, b)).toBeLessThan(1e-5);
    await backbone.release();
    await told.release();
  });

  it('takes no padding on the left', async () => {
    const opening = open(DECODERS.llama, 'outer', words, 'left');
    await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
    await expect(opening).rejects.toThrow(/cannot be told positions/);
  });
});
