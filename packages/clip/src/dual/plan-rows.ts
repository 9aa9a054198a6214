import { takeRows } from '@dynaprompt/backbone';
import { DataError, type PromptPlan } from '@dynaprompt/core';
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
  return hasOnePrompt(plan) && repeats(plan.gates, plan.batch) && repeats(plan.position.choice, plan.batch);
}

/** Whether all rows of a plan have the same prompt, wherever it stands and however long it is. */
export function hasOnePrompt({ batch, prompts, deep }: PromptPlan): boolean {
  return repeats(prompts, batch) && repeats(deep?.prompts, batch);
}

function repeats(values: Float32Array | Int32Array | undefined, batch: number): boolean {
  const size = (values?.length ?? 0) / batch;
  return values?.every((value: number, index: number) => value === values[index % size]) ?? true;
}

/** Whether the first rows of two plans say the same. */
export function isSamePrompt(one: PromptPlan, other: PromptPlan): boolean {
  const pairs = [
    [one.prompts, other.prompts],
    [one.gates, other.gates],
    [one.deep?.prompts, other.deep?.prompts],
    [one.position.choice, other.position.choice],
    [
      [one.slots, one.position.candidates],
      [other.slots, other.position.candidates],
    ],
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

/** Refuses prompts that differ between images where one set of class embeddings serves all. */
export function refuseUnlike(): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: 'prompt plan',
    problem: 'its rows differ, but the classes are embedded once for all images',
    remedy: 'Open the backbone with conditioned: true, or take the features out of the configuration',
  });
}
