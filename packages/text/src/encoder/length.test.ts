import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone, ParameterSet, PositionMode, PromptPlan } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { at, crossEntropy, distance } from '../testing/numbers.js';
import { hardGates, normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import { GATE_FLOOR } from '@dynaprompt/backbone';
import { createTextEncoder } from './text-encoder.js';

const SLOTS = 4;
const WIDTH = 256;
const short: TextExample = { text: 'a man sleeps', pair: 'somebody is awake' };
const long: TextExample = { text: 'nothing in it is new , and what is new is not good at all .' };
const modes: readonly (readonly [PositionMode, number])[] = [
  ['split', SLOTS + 1],
  ['insert', 5],
];

let backbone: FrozenBackbone<TextExample>;
let head: ParameterSet;
beforeAll(async () => {
  backbone = await createTextEncoder(miniBert, {
    threads: 1,
    reserve: SLOTS,
    head: { kind: 'linear', classes: 2 },
  });
  head = backbone.initialHead(1);
  head.get('head.weight')?.values.set(normals('weight', 2 * WIDTH, 0.3));
});
afterAll(() => backbone.release());

describe.each(modes)('a dropped token, %s of %i candidates', (mode, candidates) => {
  const places = Array.from({ length: candidates }, (_, candidate) => candidate);

  it.each(places)('at candidate %i changes nothing: masked or physically absent', async (candidate) => {
    const rows = await backbone.promptRows(2 * SLOTS, 40);
    for (let active = 0; active <= SLOTS; active++) {
      // The long example has all tokens on, so that those that the short one dropped are in the batch, masked.
      const gated = planOf({
        batch: 2,
        slots: SLOTS,
        width: WIDTH,
        prompts: rows,
        mode,
        candidates,
        choice: [candidate, candidate],
        gates: hardGates([active, SLOTS], SLOTS),
      });
      const masked = (await backbone.predict([short, long], gated, head)).subarray(0, 2);
      const absent = planOf({
        batch: 1,
        slots: active,
        width: WIDTH,
        prompts: rows.slice(0, active * WIDTH),
        mode,
        candidates: mode === 'split' ? active + 1 : candidates,
        choice: [mode === 'split' ? Math.min(candidate, active) : candidate],
      });
      expect(distance(masked, await backbone.predict([short], absent, head))).toBeLessThan(1e-5);
    }
  });
});

describe('the gradient of a gate', () => {
  const labels = [1, 0];
  const batch = { examples: [short, long], labels: Int32Array.from(labels) };
  const request = { position: false, gates: true };
  const planAt = (gates: readonly number[]): PromptPlan =>
    planOf({
      batch: 2,
      slots: SLOTS,
      width: WIDTH,
      prompts: normals('prompt', 2 * SLOTS * WIDTH, 0.02),
      choice: [1, 3],
      gates,
    });
  const stepAt = (gates: readonly number[]): ReturnType<typeof backbone.differentiate> =>
    backbone.differentiate(batch, planAt(gates), head, request);
  const lossAt = async (gates: readonly number[]): Promise<number> =>
    crossEntropy((await stepAt(gates)).logits, labels);

  // Tokens at which no attention head looks so sharply that the loss bends at once; those that do are in gradient.test.ts.
  it.each([
    [0, [1, 1, 1, 0, 1, 1, 0, 0]],
    [1, [1, 1, 0, 0, 1, 1, 1, 1]],
    [0, [1, 0, 0, 0, 1, 1, 1, 1]],
    [3, [1, 1, 1, 0, 1, 1, 0, 0]],
    [1, [1, 0, 0, 0, 1, 1, 1, 1]],
  ])('of token %i of %j is the slope of the gated model', async (token, gates) => {
    const gate = at(gates, token);
    const analytic = at((await stepAt(gates)).plan.gates ?? [], token);
    // One-sided differences of steps h, h/2, h/4 from the floor, central ones at 1. At 0 steps are so small that the loss
    // changes by a hundredth at most; float32 leaves an error of some 1e-7 / h, which the absolute tolerance allows for.
    const sign = gate === 0 ? 0 : 1;
    const difference = async (step: number): Promise<number> => {
      const here = Math.max(gate, GATE_FLOOR);
      const [up, down] = [here + step, here - sign * step];
      return ((await lossAt(gates.with(token, up))) - (await lossAt(gates.with(token, down)))) / (up - down);
    };
    const step = gate === 0 ? Math.min(0.02, 0.01 / Math.abs(analytic)) : 0.1;
    const [whole, half, quarter] = [
      await difference(step),
      await difference(step / 2),
      await difference(step / 4),
    ];
    // Richardson: one-sided differences err in powers of h, central ones in powers of h².
    const [first, second] = sign === 0 ? [2, 4] : [4, 16];
    const raise = (coarse: number, fine: number, factor: number): number =>
      (factor * fine - coarse) / (factor - 1);
    const numeric = raise(raise(whole, half, first), raise(half, quarter, first), second);
    expect(Math.abs(analytic)).toBeGreaterThan(3e-3);
    expect(Math.abs(analytic - numeric)).toBeLessThan(0.02 * Math.abs(numeric) + 3e-4);
  });
});
