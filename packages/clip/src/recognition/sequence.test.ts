import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone, ParameterSet, PromptPlan } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import type { VisionExample } from '@dynaprompt/vision';
import { distance } from '../testing/numbers.js';
import { pictures } from '../testing/pictures.js';
import { normals, planOf } from '../testing/plans.js';
import type { PromptedTowers } from '../dual/options.js';
import { openClip, type ClipOptions } from './open-clip.js';

const SLOTS = 3;
const classNames = ['cat', 'big red flag', 'tree'];
const examples = pictures(2);
const labels = Int32Array.of(0, 2);
const nothing = { position: false, gates: false };

/** A plan whose rows are alike. */
function alike(
  backbone: FrozenBackbone<VisionExample>,
  slots: number,
  parts: Partial<Parameters<typeof planOf>[0]> = {},
  batch = examples.length,
): PromptPlan {
  const row = normals('a row', SLOTS * backbone.width, 0.1).slice(0, slots * backbone.width);
  const prompts = new Float32Array(batch * row.length);
  for (let start = 0; start < prompts.length; start += row.length) prompts.set(row, start);
  return planOf({ batch, slots, width: backbone.width, prompts, ...parts });
}

describe.each<[PromptedTowers, Partial<ClipOptions>]>([
  ['text', {}],
  ['text', { conditioned: true }],
  ['vision', {}],
  ['both', {}],
])('prompts in %s %j', (prompts, options) => {
  let backbone: FrozenBackbone<VisionExample>;
  let head: ParameterSet;
  beforeAll(async () => {
    backbone = await openClip(miniClip, { classNames, reserve: SLOTS, prompts, threads: 1, ...options });
    head = backbone.initialHead(1);
  });
  afterAll(() => backbone.release());

  it.each(['split', 'insert'] as const)('what is off is as if it was not there: %s', async (mode) => {
    const candidates = mode === 'split' ? {} : { candidates: 3 };
    const choice = [1, 1];
    const long = alike(backbone, SLOTS, { mode, ...candidates, choice, gates: [1, 1, 0, 1, 1, 0] });
    const short = alike(backbone, 2, { mode, ...candidates, choice });
    const expected = await backbone.predict(examples, short, head);
    expect(distance(await backbone.predict(examples, long, head), expected)).toBeLessThan(2e-5);
    const { logits } = await backbone.differentiate({ examples, labels }, long, head, nothing);
    expect(distance(logits, expected)).toBeLessThan(2e-5);
    const all = await backbone.predict(
      examples,
      alike(backbone, SLOTS, { mode, ...candidates, choice }),
      head,
    );
    expect(distance(all, expected)).toBeGreaterThan(1e-3);
  });

  it('no token at all is the model without a prompt', async () => {
    const none = alike(backbone, SLOTS, { gates: [0, 0, 0, 0, 0, 0] });
    const bare = await openClip(miniClip, { classNames, reserve: 0, template: '{class}', threads: 1 });
    const isTextBare = prompts !== 'vision';
    const own = isTextBare ? bare : await openClip(miniClip, { classNames, reserve: 0, threads: 1 });
    const expected = await own.predict(examples, undefined, new Map());
    expect(distance(await backbone.predict(examples, none, head), expected)).toBeLessThan(2e-5);
    await bare.release();
    if (own !== bare) await own.release();
  });

  it('front, middle and end of the class name are other places', async () => {
    for (const mode of ['split', 'insert'] as const) {
      const logits: Float32Array[] = [];
      for (const place of [0, 1, 2]) {
        const plan = alike(backbone, 2, { mode, candidates: 3, choice: [place, place] });
        logits.push(await backbone.predict(examples, plan, head));
        const trained = await backbone.differentiate({ examples, labels }, plan, head, nothing);
        expect(distance(trained.logits, logits.at(-1) ?? [])).toBeLessThan(2e-5);
      }
      const [front = [], middle = [], end = []] = logits;
      for (const [one, other] of [
        [front, middle],
        [middle, end],
        [front, end],
      ] as const)
        expect(distance(one, other)).toBeGreaterThan(1e-3);
    }
  });

  it('answers for an example by itself as among others', async () => {
    const together = await backbone.predict(examples, alike(backbone, SLOTS), head);
    for (const [index, example] of examples.entries()) {
      const alone = await backbone.predict([example], alike(backbone, SLOTS, {}, 1), head);
      expect(distance(alone, together.slice(3 * index, 3 * index + 3))).toBeLessThan(2e-5);
    }
  });
});

describe('prompts in the text tower', () => {
  it('conditioned on images that all want the same are unconditioned: loss, logits and gradients', async () => {
    const options = { classNames, reserve: SLOTS, threads: 1 };
    const plain = await openClip(miniClip, options);
    const plan = alike(plain, SLOTS, { choice: [2, 2], gates: [1, 1, 0.4, 1, 1, 0.4] });
    const request = { position: true, gates: true };
    const batch = { examples, labels };
    const expected = await plain.differentiate(batch, plan, new Map(), request);
    const sums = (values: Float32Array = new Float32Array()): readonly number[] => {
      const half = values.length / 2;
      return Array.from({ length: half }, (_, index) => (values[index] ?? 0) + (values[half + index] ?? 0));
    };
    for (const chunkRows of [1, 256]) {
      const own = await openClip(miniClip, { ...options, conditioned: true, chunkRows });
      const step = await own.differentiate(batch, plan, new Map(), request);
      expect(Math.abs(step.loss - expected.loss)).toBeLessThan(1e-5);
      expect(distance(step.logits, expected.logits)).toBeLessThan(2e-5);
      // What the rows of a plan get is dealt otherwise: all to the first, or by images.
      for (const field of ['prompts', 'gates', 'position'] as const)
        expect(distance(sums(step.plan[field]), sums(expected.plan[field]))).toBeLessThan(2e-4);
      await own.release();
    }
    await plain.release();
  });

  it('unconditioned take place and length of the first rows of a plan in training, and have to be alike', async () => {
    const backbone = await openClip(miniClip, { classNames, reserve: SLOTS, threads: 1, draws: 1 });
    const mixed = alike(backbone, SLOTS, { choice: [0, 3], gates: [1, 1, 0.5, 1, 0.2, 0.1] });
    const first = alike(backbone, SLOTS, { choice: [0, 0], gates: [1, 1, 0.5, 1, 1, 0.5] });
    const request = { position: true, gates: true };
    const batch = { examples, labels };
    const step = await backbone.differentiate(batch, mixed, new Map(), request);
    expect(step.logits).toEqual((await backbone.differentiate(batch, first, new Map(), request)).logits);
    for (const field of ['prompts', 'position', 'gates'] as const) {
      const gradient = step.plan[field] ?? new Float32Array();
      expect(Math.hypot(...gradient.slice(0, gradient.length / 2))).toBeGreaterThan(1e-4);
      expect(gradient.slice(gradient.length / 2).every((value) => value === 0)).toBe(true);
    }
    const two = await openClip(miniClip, { classNames, reserve: SLOTS, threads: 1, draws: 8 });
    const each = await openClip(miniClip, { classNames, reserve: SLOTS, threads: 1, conditioned: true });
    const [drawn, own] = [two, each].map((one) => one.differentiate(batch, mixed, new Map(), request));
    const [found, expected] = [await drawn, await own];
    expect(distance(found?.logits ?? [], expected?.logits ?? [])).toBeLessThan(2e-5);
    for (const field of ['prompts', 'position', 'gates'] as const)
      expect(distance(found?.plan[field] ?? [], expected?.plan[field] ?? [])).toBeLessThan(2e-4);
    await Promise.all([two.release(), each.release()]);
    await expect(backbone.predict(examples, mixed, new Map())).rejects.toThrow('conditioned: true');
    const unlike = planOf({ batch: 2, slots: SLOTS, width: backbone.width });
    await expect(backbone.predict(examples, unlike, new Map())).rejects.toThrow('conditioned: true');
    const refused = backbone.differentiate(batch, unlike, new Map(), nothing);
    await expect(refused).rejects.toThrow('conditioned: true');
    await backbone.release();
  });

  it('stay beside the words of a template that is given', async () => {
    const template = 'a drawing of a {class} on white';
    const options = { classNames, reserve: 2, promptTemplate: template, template, threads: 1 };
    const backbone = await openClip(miniClip, options);
    const off = alike(backbone, 2, { gates: [0, 0, 0, 0] });
    const bare = await backbone.predict(examples, undefined, new Map());
    expect(distance(await backbone.predict(examples, off, new Map()), bare)).toBeLessThan(2e-5);
    await backbone.release();
  });
});
