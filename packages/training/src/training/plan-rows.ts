import { type DeepPrompts, ModelError, type PlanGradient, type PromptPlan } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Rows `start` … `end` − 1 of a plan, as a plan of their own. */
export function planRows(plan: PromptPlan, start: number, end: number): PromptPlan {
  const { slots, width, deep } = plan;
  return {
    ...plan,
    batch: end - start,
    prompts: plan.prompts.subarray(start * slots * width, end * slots * width),
    position: { ...plan.position, choice: plan.position.choice.subarray(start, end) },
    gates: plan.gates?.subarray(start * slots, end * slots),
    deep: deep && deepRows(deep, slots * width, start, end),
  };
}

function deepRows({ layers, prompts }: DeepPrompts, size: number, start: number, end: number): DeepPrompts {
  return { layers, prompts: prompts.subarray(start * layers * size, end * layers * size) };
}

/** A plan's gradient that is put together from the gradients of its rows. */
export class PlanGradientSum {
  private readonly prompts: Float32Array;
  private readonly position: Float32Array | undefined;
  private readonly gates: Float32Array | undefined;
  private readonly deep: Float32Array | undefined;

  constructor(
    private readonly plan: PromptPlan,
    request: { readonly position: boolean; readonly gates: boolean },
  ) {
    const { batch, slots, width, position, deep } = plan;
    this.prompts = new Float32Array(batch * slots * width);
    this.position = request.position ? new Float32Array(batch * position.candidates) : undefined;
    this.gates = request.gates ? new Float32Array(batch * slots) : undefined;
    this.deep = deep && new Float32Array(batch * deep.layers * slots * width);
  }

  /**
   * Puts `scale` × the gradient of the rows from `start` on in its place.
   *
   * @throws ModelError when a gradient that the plan asks for is missing.
   */
  place(start: number, scale: number, rows: PlanGradient): void {
    const { slots, width, position, deep } = this.plan;
    const put = (name: keyof PlanGradient, size: number): void => {
      const target = this[name];
      if (target === undefined) return;
      const values = rows[name];
      if (values === undefined) throw missing(name);
      if (scale === 1) target.set(values, start * size);
      else values.forEach((value, index) => (target[start * size + index] = value * scale));
    };
    put('prompts', slots * width);
    put('position', position.candidates);
    put('gates', slots);
    put('deep', (deep?.layers ?? 0) * slots * width);
  }

  gradient(): PlanGradient {
    return { prompts: this.prompts, position: this.position, gates: this.gates, deep: this.deep };
  }
}

function missing(name: string): ModelError {
  return new ModelError({
    packageName,
    subject: `plan gradient.${name}`,
    problem: 'the backbone has not given it, though the plan needs it',
    remedy: 'Correct the backbone adapter: differentiate answers every field that is asked for',
  });
}
