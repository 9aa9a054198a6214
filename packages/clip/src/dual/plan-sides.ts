import type { PlanGradient, PromptPlan } from '@dynaprompt/core';

/** What the two towers get of a plan. */
export interface PlanSides {
  readonly text: PromptPlan;
  readonly vision: PromptPlan;
}

/** The plan itself for both towers. */
export function sharedSides(plan: PromptPlan): PlanSides {
  return { text: plan, vision: plan };
}

/**
 * Cuts a plan into one for each tower: prompts of their own at the same place and of the same length.
 * @param textWidth columns of the text tower; the others are those of the image tower.
 */
export function ownSides(plan: PromptPlan, textWidth: number): PlanSides {
  return { text: columnsOf(plan, 0, textWidth), vision: columnsOf(plan, textWidth, plan.width) };
}

/** The gradient of a plan of which both towers got all, or one alone: the sum. */
export function sumSides(text: PlanGradient | undefined, vision: PlanGradient | undefined): PlanGradient {
  if (!text || !vision) return only(text, vision);
  return {
    prompts: sum(text.prompts, vision.prompts) ?? text.prompts,
    deep: sum(text.deep, vision.deep),
    ...choices(text, vision),
  };
}

/** The gradient of a plan of which each tower got its columns. */
export function joinSides(
  text: PlanGradient,
  vision: PlanGradient,
  widths: readonly [text: number, vision: number],
): PlanGradient {
  return {
    prompts: beside(text.prompts, vision.prompts, widths),
    deep: text.deep && vision.deep && beside(text.deep, vision.deep, widths),
    ...choices(text, vision),
  };
}

/** Rows [n, left + right] of rows that stand side by side. */
export function beside(
  left: Float32Array,
  right: Float32Array,
  [leftWidth, rightWidth]: readonly [left: number, right: number],
): Float32Array {
  const width = leftWidth + rightWidth;
  const joined = new Float32Array(left.length + right.length);
  for (let row = 0; row * width < joined.length; row++) {
    joined.set(left.subarray(row * leftWidth, (row + 1) * leftWidth), row * width);
    joined.set(right.subarray(row * rightWidth, (row + 1) * rightWidth), row * width + leftWidth);
  }
  return joined;
}

function only(text: PlanGradient | undefined, vision: PlanGradient | undefined): PlanGradient {
  const one = text ?? vision;
  if (!one) throw new TypeError('no tower has a prompt');
  return one;
}

/** Place and length are the same for both. */
function choices(text: PlanGradient, vision: PlanGradient): Pick<PlanGradient, 'position' | 'gates'> {
  return { position: sum(text.position, vision.position), gates: sum(text.gates, vision.gates) };
}

function sum(left: Float32Array | undefined, right: Float32Array | undefined): Float32Array | undefined {
  if (!left || !right) return left ?? right;
  return left.map((value, index) => value + (right[index] ?? 0));
}

function columnsOf(plan: PromptPlan, start: number, end: number): PromptPlan {
  const { width, deep } = plan;
  const cut = (values: Float32Array): Float32Array => {
    const rows = values.length / width;
    const own = new Float32Array(rows * (end - start));
    for (let row = 0; row < rows; row++)
      own.set(values.subarray(row * width + start, row * width + end), row * (end - start));
    return own;
  };
  return {
    ...plan,
    width: end - start,
    prompts: cut(plan.prompts),
    ...(deep ? { deep: { ...deep, prompts: cut(deep.prompts) } } : {}),
  };
}
