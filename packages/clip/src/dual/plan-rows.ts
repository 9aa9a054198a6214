import { sumRows, takeRows } from '@dynaprompt/backbone';
import { DataError, type PlanGradient, type PromptPlan } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/** Rows of a plan from `start` on, a view of `count`. */
export function planPart(plan: PromptPlan, start: number, count: number): PromptPlan {
  if (start === 0 && count === plan.batch) return plan;
  return takeRows(
    plan,
    Array.from({ length: count }, (_, row) => start + row),
  );
}

/** Whether all rows of a plan say the same. */
export function isAlike(plan: PromptPlan): boolean {
  const { batch, prompts, gates, deep, position } = plan;
  const alike = (values: ArrayLike<number> | undefined): boolean => {
    const size = (values?.length ?? 0) / batch;
    return Array.prototype.every.call(
      values ?? [],
      (value: number, index: number) => value === values?.[index % size],
    );
  };
  return [prompts, gates, deep?.prompts, position.choice].every(alike);
}

/** Whether the first rows of two plans say the same. */
export function isSamePrompt(one: PromptPlan, other: PromptPlan): boolean {
  const pairs = [
    [one.prompts, other.prompts],
    [one.gates, other.gates],
    [one.deep?.prompts, other.deep?.prompts],
    [one.position.choice, other.position.choice],
    [[one.slots, one.position.candidates], [other.slots, other.position.candidates]],
  ] as const;
  return (
    one.position.mode === other.position.mode &&
    pairs.every(
      ([a, b]) =>
        a?.length === b?.length &&
        Array.prototype.every.call(a ?? [], (value: number, index: number) => value === b?.[index]),
    )
  );
}

/** The sum of a gradient for rows taken of a plan, and one for its rows themselves; each may be absent. */
export function joinGradients(
  taken: PlanGradient | undefined,
  owners: readonly number[],
  own: PlanGradient | undefined,
  batch: number,
): PlanGradient {
  const summed = taken && sumRows(taken, owners, batch);
  if (!summed || !own) {
    const only = summed ?? own;
    if (!only) throw new TypeError('no tower has a prompt');
    return only;
  }
  const add = (a: Float32Array | undefined, b: Float32Array | undefined): Float32Array | undefined =>
    a && b ? a.map((value, index) => value + (b[index] ?? 0)) : (a ?? b);
  return {
    prompts: add(summed.prompts, own.prompts) ?? summed.prompts,
    position: add(summed.position, own.position),
    gates: add(summed.gates, own.gates),
    deep: add(summed.deep, own.deep),
  };
}

/** Refuses prompts that differ between images where one set of class embeddings serves all. */
export function refuseUnlike(): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: 'prompt plan',
    problem: 'its rows differ, but the classes are embedded once for all images',
    remedy: 'Open the backbone with conditioned: true, or take the features out of the configuration',
  });
}
