import { nullThrows, stream, type PositionMode, type PromptPlan } from '@dynaprompt/core';

/** Parts of a plan that a test cares for; the rest is made up. */
export interface PlanParts {
  readonly batch: number;
  readonly slots: number;
  readonly width: number;
  /** [B, l, d] */
  readonly prompts: Float32Array;
  /** Default: `split`, all prompt tokens in front. */
  readonly mode?: PositionMode;
  readonly candidates?: number;
  readonly choice?: readonly number[];
  /** [B, l] */
  readonly gates?: ArrayLike<number>;
  /** [B, D, l, d] */
  readonly deep?: Float32Array;
}

/** A plan of those parts. */
export function planOf(parts: PlanParts): PromptPlan {
  const { batch, slots, width, prompts, mode = 'split', candidates = slots + 1, gates, deep } = parts;
  const choice = Int32Array.from(parts.choice ?? new Array<number>(batch).fill(candidates - 1));
  return {
    batch,
    slots,
    width,
    prompts,
    position: { mode, candidates, choice },
    gates: gates && Float32Array.from(gates),
    ...(deep && { deep: { layers: deep.length / (batch * slots * width), prompts: deep } }),
  };
}

/** [count] draws from N(0, scale²), the same for the same name. */
export function normals(name: string, count: number, scale = 1): Float32Array {
  const random = stream(7, name);
  return new Float32Array(count).map(() => scale * random.normal());
}

/** Gates γ of prompts with so many active tokens, [B, l]. */
export function hardGates(active: readonly number[], slots: number): number[] {
  return active.flatMap((count) => Array.from({ length: slots }, (_, slot) => (slot < count ? 1 : 0)));
}

/** Largest difference of two arrays; NaN where their lengths or a value say so. */
export function distance(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length || left.length === 0) return NaN;
  return Math.max(...Array.from(left, (value, index) => Math.abs(value - at(right, index))));
}

/** An element that is there. */
export function at(values: ArrayLike<number>, index: number): number {
  return nullThrows(values[index], `no element ${index} of ${values.length}`);
}

/** ⟨left, right⟩ in double precision. */
export function inner(left: ArrayLike<number>, right: ArrayLike<number>): number {
  return Array.from(left).reduce((sum, value, index) => sum + value * at(right, index), 0);
}

/** left + scale · right. */
export function along(left: Float32Array, right: ArrayLike<number>, scale: number): Float32Array {
  return left.map((value, index) => value + scale * at(right, index));
}

/** Mean cross-entropy of logits [B, classes] in double precision. */
export function crossEntropy(logits: ArrayLike<number>, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  const losses = labels.map((label, row) => {
    const scores = Array.from({ length: classes }, (_, index) => at(logits, row * classes + index));
    const most = Math.max(...scores);
    return (
      most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0)) - at(scores, label)
    );
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Derivative of f at 0 from central differences of steps h and h/2 (Richardson): error O(h⁴). */
export async function derivative(f: (step: number) => Promise<number>, h: number): Promise<number> {
  const central = async (step: number): Promise<number> => ((await f(step)) - (await f(-step))) / (2 * step);
  return (4 * (await central(h / 2)) - (await central(h))) / 3;
}

/** Derivative of f at 0 from the right, from forward differences of steps h, h/2 and h/4 (Richardson): error O(h³). */
export async function rightDerivative(f: (step: number) => Promise<number>, h: number): Promise<number> {
  const start = await f(0);
  const [whole = 0, half = 0, quarter = 0] = await Promise.all(
    [h, h / 2, h / 4].map(async (step) => ((await f(step)) - start) / step),
  );
  const [first, second] = [2 * half - whole, 2 * quarter - half];
  return (4 * second - first) / 3;
}
