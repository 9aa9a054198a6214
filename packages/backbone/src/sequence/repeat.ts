import type { PlanGradient, PromptPlan } from '@dynaprompt/core';

/**
 * A plan with the row of every example as often as the example takes rows of the model's batch, one behind the other.
 * @param counts [B] rows of each example.
 */
export function repeatPlan(plan: PromptPlan | undefined, counts: readonly number[]): PromptPlan | undefined {
  return !plan || isPlain(counts) ? plan : takeRows(plan, ownersOf(counts));
}

/** The gradient of a plan from that of its repetition: rows of one example are summed. */
export function sumRepeated(gradient: PlanGradient, counts: readonly number[]): PlanGradient {
  return isPlain(counts) ? gradient : sumRows(gradient, ownersOf(counts), counts.length);
}

/**
 * A plan made of rows of another one.
 * @param owners [R] row of the plan for each row.
 */
export function takeRows(plan: PromptPlan, owners: readonly number[]): PromptPlan {
  const { batch, position, deep, gates } = plan;
  const take = (values: Float32Array): Float32Array => {
    const size = values.length / batch;
    const rows = new Float32Array(owners.length * size);
    owners.forEach((owner, row) => {
      rows.set(values.subarray(owner * size, (owner + 1) * size), row * size);
    });
    return rows;
  };
  return {
    ...plan,
    batch: owners.length,
    prompts: take(plan.prompts),
    position: { ...position, choice: Int32Array.from(owners, (owner) => position.choice[owner] ?? 0) },
    gates: gates && take(gates),
    ...(deep ? { deep: { ...deep, prompts: take(deep.prompts) } } : {}),
  };
}

/**
 * The gradient of a plan from that of rows taken of it: what came from one row is summed.
 * @param owners [R] row of the plan for each row.
 * @param batch rows of the plan.
 */
export function sumRows(gradient: PlanGradient, owners: readonly number[], batch: number): PlanGradient {
  const sum = (values: Float32Array): Float32Array => {
    const size = values.length / owners.length;
    const sums = new Float64Array(batch * size);
    values.forEach((value, index) => {
      const place = (owners[Math.floor(index / size)] ?? 0) * size + (index % size);
      sums[place] = (sums[place] ?? 0) + value;
    });
    return Float32Array.from(sums);
  };
  return {
    prompts: sum(gradient.prompts),
    position: gradient.position && sum(gradient.position),
    gates: gradient.gates && sum(gradient.gates),
    deep: gradient.deep && sum(gradient.deep),
  };
}

function isPlain(counts: readonly number[]): boolean {
  return counts.every((count) => count === 1);
}

/** Example of every row. */
function ownersOf(counts: readonly number[]): readonly number[] {
  return counts.flatMap((count, example) => new Array<number>(count).fill(example));
}
