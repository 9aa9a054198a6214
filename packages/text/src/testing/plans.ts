import { stream, type PositionMode, type PromptPlan } from '@dynaprompt/core';

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
  readonly gates?: readonly number[];
}

/** A plan of those parts. */
export function planOf(parts: PlanParts): PromptPlan {
  const { batch, slots, width, prompts, mode = 'split', candidates = slots + 1, gates } = parts;
  const choice = Int32Array.from(parts.choice ?? new Array<number>(batch).fill(slots));
  return {
    batch,
    slots,
    width,
    prompts,
    position: { mode, candidates, choice },
    gates: gates === undefined ? undefined : Float32Array.from(gates),
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
