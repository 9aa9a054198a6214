import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackboneStep, FrozenBackbone, ParameterSet, PromptPlan } from '@dynaprompt/core';
import { miniClip } from '@dynaprompt/mini-models';
import type { VisionExample } from '@dynaprompt/vision';
import { along, crossEntropy, derivative, inner } from '../testing/numbers.js';
import { pictures } from '../testing/pictures.js';
import { normals, planOf, repeated } from '../testing/plans.js';
import { openClip, type ClipOptions } from './open-clip.js';

const SLOTS = 3;
const BATCH = 2;
const classNames = ['cat', 'red flag', 'tree'];
const labels = Int32Array.of(0, 2);
const examples = pictures(BATCH);
const everything = { position: true, gates: true };

type Case = readonly [string, Partial<ClipOptions>, number];
const cases: readonly Case[] = [
  ['text', { prompts: 'text' }, 0],
  ['text, deep, with a trained scale', { prompts: 'text', trainLogitScale: true }, 2],
  ['text, conditioned, in chunks', { prompts: 'text', conditioned: true, chunkRows: 3 }, 0],
  ['vision, deep', { prompts: 'vision' }, 1],
  ['both, coupled', { prompts: 'both' }, 0],
  ['both, coupled in three layers', { prompts: 'both', layers: 3 }, 2],
  ['both, coupled and conditioned', { prompts: 'both', conditioned: true }, 0],
  ['both, independent', { prompts: 'both', coupling: 'independent' }, 0],
  ['both, independent and deep', { prompts: 'both', coupling: 'independent', conditioned: true }, 2],
];

describe.each(cases)('gradients with prompts in %s', (_, options, deep) => {
  let backbone: FrozenBackbone<VisionExample>;
  let head: ParameterSet;
  let plan: PromptPlan;
  let step: BackboneStep;
  const differentiate = (changed: PromptPlan, values = head): Promise<BackboneStep> =>
    backbone.differentiate({ examples, labels }, changed, values, everything);
  /** The loss in double precision, of the logits that `differentiate` itself gives. */
  const lossOf = async (changed: PromptPlan, values = head): Promise<number> =>
    crossEntropy((await differentiate(changed, values)).logits, labels);
  const expectSlope = async (
    slope: number,
    loss: (by: number) => Promise<number>,
    h: number,
  ): Promise<void> => {
    const numeric = await derivative(loss, h);
    expect(Math.abs(slope - numeric)).toBeLessThan(
      0.01 * Math.max(Math.abs(slope), Math.abs(numeric)) + 5e-4,
    );
  };
  // Where classes are embedded once for all images, prompts are alike in all rows.
  const isShared = options.prompts !== 'vision' && options.conditioned !== true;
  const rows = (values: Float32Array): Float32Array => (isShared ? repeated(values, BATCH) : values);
  beforeAll(async () => {
    backbone = await openClip(miniClip, { classNames, reserve: SLOTS, threads: 1, ...options });
    head = backbone.initialHead(3);
    plan = planOf({
      batch: BATCH,
      slots: SLOTS,
      width: backbone.width,
      choice: [1, 2],
      gates: [1, 0.8, 0.3, 1, 0.6, 0.2],
      ...(deep > 0 ? { deep } : {}),
    });
    plan = {
      ...plan,
      prompts: rows(plan.prompts),
      ...(plan.deep ? { deep: { ...plan.deep, prompts: rows(plan.deep.prompts) } } : {}),
    };
    step = await differentiate(plan);
  });
  afterAll(() => backbone.release());

  it('gives the loss of its logits', () => {
    expect(Math.abs(step.loss - crossEntropy(step.logits, labels))).toBeLessThan(1e-5);
  });

  it('prompts', async () => {
    const direction = rows(normals('first', plan.prompts.length, 0.02));
    await expectSlope(
      inner(step.plan.prompts, direction),
      (by) => lossOf({ ...plan, prompts: along(plan.prompts, direction, by) }),
      0.2,
    );
  });

  it('prompts of deeper layers', async () => {
    expect(step.plan.deep?.length).toBe(plan.deep?.prompts.length);
    const prompts = plan.deep?.prompts;
    if (!prompts) return;
    const direction = rows(normals('deep', prompts.length, 0.02));
    await expectSlope(
      inner(step.plan.deep ?? [], direction),
      (by) => lossOf({ ...plan, deep: { layers: deep, prompts: along(prompts, direction, by) } }),
      0.2,
    );
  });

  it('gates', async () => {
    const gates = plan.gates ?? new Float32Array();
    expect(step.plan.gates).toHaveLength(gates.length);
    // Away from their bounds, all at once; slot 4 by itself, for the sum could hide a slot that is dealt wrongly.
    const soft = Float32Array.from(gates, (gate) => (gate < 1 ? 1 : 0));
    const directions = [
      soft.map((is, slot) => is * (slot % 2 === 0 ? -1 : 0.5)),
      soft.map((is, slot) => is * Number(slot === 4)),
    ];
    for (const direction of directions) {
      await expectSlope(
        inner(step.plan.gates ?? [], direction),
        (by) => lossOf({ ...plan, gates: along(gates, direction, by) }),
        0.02,
      );
    }
  });

  it('tensors of the head', async () => {
    expect([...step.head.keys()].sort()).toEqual([...head.keys()].sort());
    for (const [name, { shape, values }] of head) {
      const direction = normals(name, values.length, 1 / Math.sqrt(values.length));
      await expectSlope(
        inner(step.head.get(name) ?? [], direction),
        (by) => lossOf(plan, new Map(head).set(name, { shape, values: along(values, direction, by) })),
        0.1,
      );
    }
  });
});
