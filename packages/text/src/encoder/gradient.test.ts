import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone, ParameterSet, PromptPlan } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { along, at, crossEntropy, derivative, inner, integral } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import { GATE_FLOOR } from '@dynaprompt/backbone';
import type { HeadOptions } from '../backbone/head.js';
import { createTextEncoder } from './text-encoder.js';

const SLOTS = 3;
const WIDTH = 256;
const examples: TextExample[] = [
  { text: 'a quiet film' },
  { text: 'a man sleeps', pair: 'somebody is wide awake here' },
];
const labels = [1, 0];
const heads: HeadOptions[] = [
  { kind: 'linear', classes: 3, pooling: 'mean' },
  { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['bad', 'good', 'funny'] },
];
const everything = { position: true, gates: true };

describe.each(heads)('differentiate with head %j', (options) => {
  let backbone: FrozenBackbone<TextExample>;
  let head: ParameterSet;
  let prompts: Float32Array;
  beforeAll(async () => {
    backbone = await createTextEncoder(miniBert, { threads: 1, reserve: SLOTS, head: options });
    head = backbone.initialHead(1);
    head.get('head.weight')?.values.set(normals('weight', 3 * WIDTH, 0.2));
    prompts = await backbone.promptRows(2 * SLOTS, 25);
  });
  afterAll(() => backbone.release());

  const batch = { examples, labels: Int32Array.from(labels) };
  const plan = (values: Float32Array, gates?: readonly number[]): PromptPlan =>
    planOf({
      batch: 2,
      slots: SLOTS,
      width: WIDTH,
      prompts: values,
      choice: [1, 2],
      ...(gates ? { gates } : {}),
    });
  /** The loss in double precision, of the logits that `differentiate` itself gives. */
  const lossOf = async (changed: PromptPlan, parameters = head): Promise<number> => {
    const { logits } = await backbone.differentiate(batch, changed, parameters, everything);
    return crossEntropy(logits, labels);
  };
  const expectSame = (analytic: number, numeric: number, relative = 0.01, absolute = 3e-4): void => {
    const scale = Math.max(Math.abs(analytic), Math.abs(numeric));
    expect(Math.abs(analytic - numeric)).toBeLessThan(relative * scale + absolute);
  };

  it('gives the loss of its logits', async () => {
    const { loss, logits } = await backbone.differentiate(batch, plan(prompts), head, everything);
    expect(Math.abs(loss - crossEntropy(logits, labels))).toBeLessThan(1e-6);
  });

  it.each(['first', 'second', 'third', 'fourth'])('prompts, along the %s random direction', async (name) => {
    const { plan: gradient } = await backbone.differentiate(batch, plan(prompts), head, everything);
    const direction = normals(name, prompts.length, 0.05);
    const numeric = await derivative((step) => lossOf(plan(along(prompts, direction, step))), 0.03);
    expectSame(inner(gradient.prompts, direction), numeric);
  });

  it('prompts, each token of each example, along its own gradient', async () => {
    const gates = [1, 0.7, 0.2, 1, 1, 0];
    const { plan: gradient } = await backbone.differentiate(batch, plan(prompts, gates), head, everything);
    for (let token = 0; token < 2 * SLOTS - 1; token++) {
      const own = gradient.prompts.map((value, index) => (Math.floor(index / WIDTH) === token ? value : 0));
      const norm = Math.sqrt(inner(own, own));
      const unit = own.map((value) => value / norm);
      const numeric = await derivative((step) => lossOf(plan(along(prompts, unit, step), gates)), 0.03);
      expectSame(norm, numeric);
    }
    // A token that is off has no say.
    const last = gradient.prompts.subarray((2 * SLOTS - 1) * WIDTH);
    expect(Math.max(...last.map(Math.abs))).toBeLessThan(1e-4);
  });

  it('head, weight and bias', async () => {
    const { head: gradients } = await backbone.differentiate(batch, plan(prompts), head, everything);
    expect([...gradients.keys()]).toEqual([...head.keys()]);
    for (const [name, { shape, values }] of head) {
      const gradient = gradients.get(name) ?? [];
      expect(gradient).toHaveLength(values.length);
      for (const direction of [normals(`${name}, first`, values.length), normals(name, values.length)]) {
        const numeric = await derivative((step) => {
          const changed = new Map(head).set(name, { shape, values: along(values, direction, step) });
          return lossOf(plan(prompts), changed);
        }, 0.02);
        expectSame(inner(gradient, direction), numeric);
      }
    }
  });

  it.each([
    ['all on', [1, 1, 1, 1, 1, 1]],
    ['fractional', [0.9, 0.6, 0.3, 0.8, 0.35, 0.1]],
  ])('gates, %s', async (_, gates) => {
    const { plan: gradient } = await backbone.differentiate(batch, plan(prompts, gates), head, everything);
    for (const slot of gates.keys()) {
      const numeric = await derivative(
        (step) => lossOf(plan(prompts, gates.with(slot, at(gates, slot) + step))),
        0.02,
      );
      expectSame(at(gradient.gates ?? [], slot), numeric);
    }
  });

  it.each([
    ['some off', [1, 1, 0, 1, 0, 0], [2, 4, 5]],
    ['all off', [0, 0, 0, 0, 0, 0], [0, 4]],
  ])('gates, %s: what switching a token on would do', async (_, gates, slots) => {
    const gateGradient = async (slot: number, gate: number): Promise<number> => {
      const changed = plan(prompts, gates.with(slot, gate));
      return at((await backbone.differentiate(batch, changed, head, everything)).plan.gates ?? [], slot);
    };
    for (const slot of slots) {
      // A head that looks sharply at the slot bends the loss within 10⁻⁶: no finite step is small enough. But the gradient
      // has to add up to the loss over all scales: ΔL = ∫ dL/dγ γ d log γ.
      const risen = await integral(
        async (exponent) => (await gateGradient(slot, Math.exp(exponent))) * Math.exp(exponent),
        Math.log(GATE_FLOOR),
        Math.log(0.01),
        24,
      );
      const [off, on] = [
        await lossOf(plan(prompts, gates.with(slot, GATE_FLOOR))),
        await lossOf(plan(prompts, gates.with(slot, 0.01))),
      ];
      expectSame(risen, on - off, 0.02, 3e-6);
      // And it is already at 0 what it is just above.
      expectSame(await gateGradient(slot, 0), await gateGradient(slot, 1.1 * GATE_FLOOR), 0.03, 3e-4);
    }
  });

  it('gives the gradients of an example alone, divided by the batch', async () => {
    const gates = [1, 1, 0.4, 1, 0.9, 0.2];
    const together = await backbone.differentiate(batch, plan(prompts, gates), head, everything);
    const [, example = { text: '' }] = examples;
    const alone = await backbone.differentiate(
      { examples: [example], labels: Int32Array.of(0) },
      planOf({
        batch: 1,
        slots: SLOTS,
        width: WIDTH,
        prompts: prompts.slice(SLOTS * WIDTH),
        choice: [2],
        gates: gates.slice(SLOTS),
      }),
      head,
      everything,
    );
    const half = along(together.plan.prompts.slice(SLOTS * WIDTH), alone.plan.prompts, -0.5);
    expect(Math.max(...half.map(Math.abs))).toBeLessThan(1e-6);
  });
});
