import { describe, expect, it } from '@jest/globals';

import { ModelError, type PlanGradient, type PromptPlan } from '@dynaprompt/core';

import { PlanGradientSum, planRows } from './plan-rows.js';

const [batch, slots, width, deepLayers, candidates] = [4, 2, 3, 5, 3];

/** Distinct numbers that tell of which example they are: example × 1000 + place within it. */
function marked(perExample: number, count = batch): Float32Array {
  return Float32Array.from({ length: count * perExample }, (_, index) => {
    return 1000 * Math.floor(index / perExample) + (index % perExample);
  });
}

const plan: PromptPlan = {
  batch,
  slots,
  width,
  prompts: marked(slots * width),
  position: { mode: 'split', candidates, choice: Int32Array.of(0, 1, 2, 1) },
  gates: marked(slots),
  deep: { layers: deepLayers, prompts: marked(deepLayers * slots * width) },
};

function examplesOf(values: Float32Array | Int32Array | undefined): number[] {
  return [...new Set([...(values ?? [])].map((value) => Math.floor(value / 1000)))];
}

describe('planRows', () => {
  it('cuts every field of a plan, deep prompts too', () => {
    const rows = planRows(plan, 1, 3);
    expect(rows).toMatchObject({ batch: 2, slots, width, deep: { layers: deepLayers } });
    expect([...rows.position.choice]).toEqual([1, 2]);
    for (const [values, size] of [
      [rows.prompts, slots * width],
      [rows.gates, slots],
      [rows.deep?.prompts, deepLayers * slots * width],
    ] as const) {
      expect(values).toHaveLength(2 * size);
      expect(examplesOf(values)).toEqual([1, 2]);
    }
    expect(rows.deep?.prompts[deepLayers * slots * width + 7]).toBe(2007);
  });

  it('leaves out what a plan does not have', () => {
    const { deep, ...shallow } = plan;
    expect(deep).toBeDefined();
    expect(planRows({ ...shallow, gates: undefined }, 0, 2)).toMatchObject({
      gates: undefined,
      deep: undefined,
    });
  });
});

describe('PlanGradientSum', () => {
  const gradientOf = (count: number): PlanGradient => ({
    prompts: marked(slots * width, count),
    position: marked(candidates, count),
    gates: marked(slots, count),
    deep: marked(deepLayers * slots * width, count),
  });

  it('puts the gradients of rows in their places', () => {
    const sum = new PlanGradientSum(plan, { position: true, gates: true });
    sum.place(0, 0.25, gradientOf(1));
    sum.place(1, 0.75, gradientOf(3));
    const whole = sum.gradient();
    for (const [name, size] of [
      ['prompts', slots * width],
      ['position', candidates],
      ['gates', slots],
      ['deep', deepLayers * slots * width],
    ] as const) {
      const expected = [
        ...marked(size, 1).map((value) => 0.25 * value),
        ...marked(size, 3).map((value) => 0.75 * value),
      ];
      expect([...(whole[name] ?? [])]).toEqual(expected);
    }
  });

  it('has no gradient of what was not asked for', () => {
    const { deep, ...shallow } = plan;
    expect(deep).toBeDefined();
    const sum = new PlanGradientSum(shallow, { position: false, gates: false });
    sum.place(0, 1, gradientOf(batch));
    expect(sum.gradient()).toMatchObject({ position: undefined, gates: undefined, deep: undefined });
  });

  it.each(['position', 'gates', 'deep'] as const)('says where a backbone leaves out %s', (name) => {
    const sum = new PlanGradientSum(plan, { position: true, gates: true });
    const attempt = (): void => {
      sum.place(0, 1, { ...gradientOf(batch), [name]: undefined });
    };
    expect(attempt).toThrow(ModelError);
    expect(attempt).toThrow(`plan gradient.${name}`);
  });
});
