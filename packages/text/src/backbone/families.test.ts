import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone, ParameterSet, PromptPlan } from '@dynaprompt/core';
import { openTextBackbone } from '../open-text-backbone.js';
import {
  DECODERS,
  ENCODERS,
  SEQ2SEQ,
  textOf,
  writeFixture,
  type FixtureModel,
} from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { along, at, crossEntropy, distance, inner, slopeError } from '../testing/numbers.js';
import { hardGates, normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import type { HeadOptions } from './head.js';

const SLOTS = 4;
const short: TextExample = { text: textOf(10, 11, 12) };
const long: TextExample = { text: textOf(20, 21, 22, 23, 24, 25), pair: textOf(30, 31) };
const examples = [short, long];
const labels = [1, 0];
const batch = { examples, labels: Int32Array.from(labels) };
const everything = { position: true, gates: true };

const linear: HeadOptions = { kind: 'linear', classes: 2 };
const words: HeadOptions = { kind: 'verbalizer', template: '{text} wbk wbl', words: ['wbm', 'wbn'] };
const phrases: HeadOptions = { ...words, words: ['wbm wbo', 'wbn'] };
const cases: (readonly [string, FixtureModel, HeadOptions])[] = [
  ...Object.entries(ENCODERS).map(([name, model]) => [name, model, linear] as const),
  ...Object.entries(DECODERS).flatMap(([name, model]) =>
    [linear, phrases].map((head) => [name, model, head] as const),
  ),
  ...Object.entries(SEQ2SEQ).flatMap(([name, model]) =>
    [linear, words, phrases].map((head) => [name, model, head] as const),
  ),
];

describe.each(cases)('%s, %#', (name, model, headOptions) => {
  const temporary = temporaryFolder();
  let backbone: FrozenBackbone<TextExample>;
  let head: ParameterSet;
  let prompts: Float32Array;
  beforeAll(async () => {
    const folder = writeFixture(temporary.folder, model);
    backbone = await openTextBackbone(folder, { head: headOptions, reserve: SLOTS, threads: 1 });
    head = backbone.initialHead(1);
    head.get('head.weight')?.values.set(normals('weight', 2 * backbone.width, 0.2));
    prompts = normals('prompts', 2 * SLOTS * backbone.width, 0.3);
  });
  afterAll(async () => {
    await backbone.release();
    temporary.remove();
  });
  const plan = (values: Float32Array, gates?: readonly number[]): PromptPlan =>
    planOf({
      batch: 2,
      slots: SLOTS,
      width: backbone.width,
      prompts: values,
      choice: [1, 3],
      ...(gates ? { gates } : {}),
    });
  const lossOf = async (changed: PromptPlan): Promise<number> =>
    crossEntropy((await backbone.differentiate(batch, changed, head, everything)).logits, labels);
  const expectSlope = async (analytic: number, loss: (step: number) => Promise<number>): Promise<void> => {
    expect(await slopeError(analytic, loss)).toBeLessThan(1);
  };

  it('gives an example alone what it gives it in a padded batch', async () => {
    const together = await backbone.predict(examples, plan(prompts), head);
    const features = await backbone.features(examples);
    for (const [row, example] of examples.entries()) {
      const alone = planOf({
        batch: 1,
        slots: SLOTS,
        width: backbone.width,
        prompts: prompts.slice(row * SLOTS * backbone.width, (row + 1) * SLOTS * backbone.width),
        choice: [row === 0 ? 1 : 3],
      });
      const logits = await backbone.predict([example], alone, head);
      expect(distance(logits, together.subarray(2 * row, 2 * row + 2))).toBeLessThan(1e-5);
      const own = features.subarray(row * backbone.width, (row + 1) * backbone.width);
      expect(distance(await backbone.features([example]), own)).toBeLessThan(1e-5);
    }
  });

  it('gives a dropped token the say of one that is not there', async () => {
    for (const active of [0, 1, 3]) {
      const gates = hardGates([active, SLOTS], SLOTS);
      const masked = await backbone.predict(examples, plan(prompts, gates), head);
      const absent = planOf({
        batch: 1,
        slots: active,
        width: backbone.width,
        prompts: prompts.slice(0, active * backbone.width),
        choice: [Math.min(1, active)],
      });
      const alone = await backbone.predict([short], absent, head);
      expect(distance(masked.subarray(0, 2), alone)).toBeLessThan(1e-5);
      // A convolution over the rows, as DeBERTa-v2 has one, sees the gated neighbour all the same.
      if (name === 'deberta-v2') continue;
      const { logits } = await backbone.differentiate(batch, plan(prompts, gates), head, everything);
      expect(distance(logits, masked)).toBeLessThan(1e-4);
    }
  });

  it('differentiates prompts', async () => {
    const { plan: gradient } = await backbone.differentiate(batch, plan(prompts), head, everything);
    for (const direction of ['first', 'second'].map((draw) => normals(draw, prompts.length, 0.3))) {
      const slope = inner(gradient.prompts, direction);
      expect(Math.abs(slope)).toBeGreaterThan(2e-4);
      await expectSlope(slope, (step) => lossOf(plan(along(prompts, direction, step))));
    }
  });

  it('differentiates gates', async () => {
    const gates = [0.9, 0.6, 0.3, 0.2, 1, 0.8, 0.4, 0.1];
    const { plan: gradient } = await backbone.differentiate(batch, plan(prompts, gates), head, everything);
    for (const slot of gates.keys()) {
      await expectSlope(at(gradient.gates ?? [], slot), (step) =>
        lossOf(plan(prompts, gates.with(slot, at(gates, slot) + step))),
      );
    }
  });

  it('differentiates deep prompts', async () => {
    const layers = backbone.description.layers - 1;
    if (layers === 0) return;
    const values = normals('deep', 2 * layers * SLOTS * backbone.width, 0.3);
    const deep = (changed: Float32Array): PromptPlan => ({
      ...plan(prompts),
      deep: { layers, prompts: changed },
    });
    const { plan: gradient } = await backbone.differentiate(batch, deep(values), head, everything);
    const direction = normals('deep direction', values.length, 0.1);
    await expectSlope(inner(gradient.deep ?? [], direction), (step) =>
      lossOf(deep(along(values, direction, step))),
    );
  });

  it('answers the same question with the same bits', async () => {
    const gates = [1, 1, 0, 0, 1, 1, 1, 0];
    const first = await backbone.differentiate(batch, plan(prompts, gates), head, everything);
    const second = await backbone.differentiate(batch, plan(prompts, gates), head, everything);
    expect(second).toEqual(first);
    expect(await backbone.predict(examples, plan(prompts), head)).toEqual(
      await backbone.predict(examples, plan(prompts), head),
    );
  });

  it('cuts texts, never prompts', async () => {
    const room = backbone.description.maximumTokens - SLOTS;
    const endless: TextExample = { text: textOf(...new Array<number>(60).fill(15)) };
    const length = backbone.lengthOf(endless);
    expect(length).toBeLessThanOrEqual(room);
    expect(length).toBeGreaterThan(room - 2);
    const first = { ...plan(prompts.slice(0, SLOTS * backbone.width)), batch: 1 };
    const split = (values: Float32Array): PromptPlan => ({
      ...first,
      prompts: values,
      position: { ...first.position, choice: Int32Array.of(0) },
    });
    const logits = await backbone.predict([endless], split(first.prompts), head);
    const tail = first.prompts.map((value, index) => (index < 3 * backbone.width ? value : -value));
    expect(distance(logits, await backbone.predict([endless], split(tail), head))).toBeGreaterThan(1e-4);
  });
});
