import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone, ParameterSet, PositionMode } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import { distance } from '../testing/numbers.js';
import { hardGates, normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import { createTextEncoder } from './text-encoder.js';
import type { HeadOptions } from '../backbone/head.js';

const SLOTS = 5;
const WIDTH = 256;
const examples: TextExample[] = [
  { text: 'a quiet film' },
  { text: 'nothing in it is new , and what is new is not good at all .' },
  { text: 'a man sleeps', pair: 'somebody is awake' },
];
const labels = Int32Array.of(1, 0, 1);
const heads: HeadOptions[] = [
  { kind: 'linear', classes: 2, pooling: 'mean' },
  { kind: 'linear', classes: 2, pooling: 'cls' },
  { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['bad', 'good'] },
];

describe.each(heads)('length gates, head %j', (options) => {
  let backbone: FrozenBackbone<TextExample>;
  let head: ParameterSet;
  beforeAll(async () => {
    backbone = await createTextEncoder(miniBert, { threads: 1, reserve: SLOTS, head: options });
    head = backbone.initialHead(1);
    head.get('head.weight')?.values.set(normals('weight', 2 * WIDTH, 0.3));
  });
  afterAll(() => backbone.release());

  /** Rows that matter: embeddings of words. */
  const promptsOf = async (batch: number): Promise<Float32Array> => backbone.promptRows(batch * SLOTS, 40);
  const firstRows = (prompts: Float32Array, example: number, count: number): Float32Array =>
    prompts.slice(example * SLOTS * WIDTH, (example * SLOTS + count) * WIDTH);

  const cases: [PositionMode, number, number[], number[]][] = [
    ['split', SLOTS + 1, [0, 2, 5], [2, 2, 2]],
    ['split', SLOTS + 1, [5, 1, 3], [0, 3, 5]],
    ['split', SLOTS + 1, [4, 0, 2], [1, 4, 0]],
    ['insert', 3, [0, 1, 2], [3, 1, 0]],
  ];
  it.each(cases)(
    '%s of %i candidates, choices %j: %j active tokens are as good as a prompt of that many slots',
    async (mode, candidates, choice, active) => {
      const prompts = await promptsOf(3);
      const gates = hardGates(active, SLOTS);
      const gated = planOf({
        batch: 3,
        slots: SLOTS,
        width: WIDTH,
        prompts,
        mode,
        candidates,
        choice,
        gates,
      });
      const short = await backbone.predict(examples, gated, head);

      for (const [index, example] of examples.entries()) {
        const count = active[index] ?? 0;
        const chosen = choice[index] ?? 0;
        const exact = planOf({
          batch: 1,
          slots: count,
          width: WIDTH,
          prompts: firstRows(prompts, index, count),
          mode,
          candidates: mode === 'split' ? count + 1 : candidates,
          choice: [mode === 'split' ? Math.min(chosen, count) : chosen],
        });
        const alone = await backbone.predict([example], exact, head);
        expect(distance(short.subarray(index * 2, index * 2 + 2), alone)).toBeLessThan(1e-5);
      }

      const step = await backbone.differentiate({ examples, labels }, gated, head, {
        position: false,
        gates: true,
      });
      expect(distance(step.logits, short)).toBeLessThan(1e-4);
    },
  );

  it('without an active token give the prompt-free model', async () => {
    const gates = hardGates([0, 0, 0], SLOTS);
    const gated = planOf({ batch: 3, slots: SLOTS, width: WIDTH, prompts: await promptsOf(3), gates });
    const free = await backbone.predict(examples, undefined, head);
    expect(distance(await backbone.predict(examples, gated, head), free)).toBeLessThan(1e-5);
    const step = await backbone.differentiate({ examples, labels }, gated, head, {
      position: true,
      gates: true,
    });
    expect(distance(step.logits, free)).toBeLessThan(1e-4);
  });

  it('all on give what no gates give, and each one more changes the logits', async () => {
    const prompts = await promptsOf(3);
    const plan = (active?: number): ReturnType<typeof planOf> =>
      planOf({
        batch: 3,
        slots: SLOTS,
        width: WIDTH,
        prompts,
        ...(active === undefined ? {} : { gates: hardGates([active, active, active], SLOTS) }),
      });
    const logits = [];
    for (const active of [0, 1, 2, 3, 4, 5])
      logits.push(await backbone.predict(examples, plan(active), head));
    const ungated = await backbone.predict(examples, plan(), head);
    expect(distance(logits.at(-1) ?? [], ungated)).toBe(0);
    for (const [index, left] of logits.entries()) {
      const right = logits[index + 1];
      if (right) expect(distance(left, right)).toBeGreaterThan(1e-3);
    }
  });

  it('let a token that is off have any value', async () => {
    const prompts = await promptsOf(3);
    const gates = hardGates([2, 3, 0], SLOTS);
    const predict = (values: Float32Array): Promise<Float32Array> =>
      backbone.predict(
        examples,
        planOf({ batch: 3, slots: SLOTS, width: WIDTH, prompts: values, gates }),
        head,
      );
    const other = prompts.map((value, index) => {
      const token = Math.floor(index / WIDTH);
      return gates[token] === 1 ? value : 1000 * Math.sin(index);
    });
    expect(distance(await predict(other), await predict(prompts))).toBeLessThan(1e-5);
  });
});
