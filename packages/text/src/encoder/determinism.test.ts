import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackboneStep, FrozenBackbone, ParameterSet } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import type { HeadOptions } from '../backbone/head.js';
import { createTextEncoder } from './text-encoder.js';

const SLOTS = 4;
const heads: HeadOptions[] = [
  { kind: 'linear', classes: 2 },
  { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['bad', 'good'] },
];
const examples: TextExample[] = [
  { text: 'a quiet film about nothing' },
  { text: 'they play', pair: 'no , they do not play at all .' },
];

// More than one thread: that is where sums could change their order.
describe.each(heads)('head %j', (options) => {
  let backbone: FrozenBackbone<TextExample>;
  let head: ParameterSet;
  let prompts: Float32Array;
  beforeAll(async () => {
    backbone = await createTextEncoder(miniBert, { threads: 2, reserve: SLOTS, head: options });
    head = backbone.initialHead(5);
    prompts = await backbone.promptRows(2 * SLOTS, 0);
  });
  afterAll(() => backbone.release());

  const plan = (gates?: readonly number[]): ReturnType<typeof planOf> =>
    planOf({ batch: 2, slots: SLOTS, width: 256, prompts, choice: [1, 3], ...(gates ? { gates } : {}) });
  const step = (position: boolean, gates: boolean, values?: readonly number[]): Promise<BackboneStep> =>
    backbone.differentiate({ examples, labels: Int32Array.of(1, 0) }, plan(values), head, {
      position,
      gates,
    });

  it('gives the same bits twice', async () => {
    const gates = [1, 1, 0, 0, 1, 1, 1, 0];
    expect(await step(true, true, gates)).toEqual(await step(true, true, gates));
    const predictions = [plan(), plan(gates), undefined].map((given) => async () => [
      await backbone.predict(examples, given, head),
      await backbone.features(examples),
      await backbone.pooled(examples),
    ]);
    for (const predict of predictions) expect(await predict()).toEqual(await predict());
  });

  it('gives the same bits in another instance', async () => {
    const other = await createTextEncoder(miniBert, { threads: 2, reserve: SLOTS, head: options });
    expect(await other.predict(examples, plan(), head)).toEqual(
      await backbone.predict(examples, plan(), head),
    );
    expect(other.description).toEqual(backbone.description);
    await other.release();
  });

  it('gives the same gradients whatever else is asked for', async () => {
    const gates = [1, 1, 0, 0, 1, 1, 1, 0];
    const all = await step(true, true, gates);
    expect(all.plan.position).toHaveLength(2 * (SLOTS + 1));
    expect(all.plan.gates).toHaveLength(2 * SLOTS);
    for (const [position, wantsGates] of [
      [false, true],
      [true, false],
      [false, false],
    ] as const) {
      const some = await step(position, wantsGates, gates);
      expect(some).toEqual({
        ...all,
        plan: {
          ...all.plan,
          position: position ? all.plan.position : undefined,
          gates: wantsGates ? all.plan.gates : undefined,
        },
      });
    }
  });

  it('gives without gates the gradients it gives with all of them on', async () => {
    const ungated = await step(true, true);
    const gated = await step(true, true, new Array<number>(2 * SLOTS).fill(1));
    expect(ungated.plan.gates).toBeUndefined();
    expect({ ...gated, plan: { ...gated.plan, gates: undefined } }).toEqual(ungated);
  });

  it('gives the same bits to calls that overlap', async () => {
    const [first, second, features] = await Promise.all([
      step(true, false),
      step(true, false),
      backbone.features(examples),
    ]);
    expect(first).toEqual(second);
    expect(features).toEqual(await backbone.features(examples));
  });
});
