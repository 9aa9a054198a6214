import type { PlanGradient, PromptPlan } from '@dynaprompt/core';

/** Rows `start` … `end` − 1 of a plan, as a plan of their own. */
export function planRows(plan: PromptPlan, start: number, end: number): PromptPlan {
  const { slots, width } = plan;
  return {
    ...plan,
    batch: end - start,
    prompts: plan.prompts.subarray(start * slots * width, end * slots * width),
    position: { ...plan.position, choice: plan.position.choice.subarray(start, end) },
    gates: plan.gates?.subarray(start * slots, end * slots),
  };
}

/** A plan's gradient that is put together from the gradients of its rows. */
export class PlanGradientSum {
  private readonly prompts: Float32Array;
  private readonly position: Float32Array | undefined;
  private readonly gates: Float32Array | undefined;

  constructor(
    private readonly plan: PromptPlan,
    request: { readonly position: boolean; readonly gates: boolean },
  ) {
    const { batch, slots, width, position } = plan;
    this.prompts = new Float32Array(batch * slots * width);
    this.position = request.position ? new Float32Array(batch * position.candidates) : undefined;
    this.gates = request.gates ? new Float32Array(batch * slots) : undefined;
  }

  /** Puts `scale` × the gradient of the rows from `start` on in its place. */
  place(start: number, scale: number, rows: PlanGradient): void {
    const { slots, width, position } = this.plan;
    copyScaled(this.prompts, start * slots * width, scale, rows.prompts);
    copyScaled(this.position, start * position.candidates, scale, rows.position);
    copyScaled(this.gates, start * slots, scale, rows.gates);
  }

  gradient(): PlanGradient {
    return { prompts: this.prompts, position: this.position, gates: this.gates };
  }
}

function copyScaled(
  target: Float32Array | undefined,
  offset: number,
  scale: number,
  values: Float32Array | undefined,
): void {
  if (target !== undefined && values !== undefined) {
    target.set(
      values.map((value) => value * scale),
      offset,
    );
  }
}
