import { stream, type PositionMode, type PromptPlan } from '@dynaprompt/core';

/** Parts of a plan that a test cares for; the rest is made up. */
export interface PlanParts {
  readonly batch: number;
  readonly slots: number;
  readonly width: number;
  /** [B, l, d]; default: draws. */
  readonly prompts?: Float32Array;
  /** Default `split`, all prompt tokens in front. */
  readonly mode?: PositionMode;
  readonly candidates?: number;
  readonly choice?: readonly number[];
  readonly gates?: readonly number[];
  /** D; their prompts are draws. */
  readonly deep?: number;
}

/** A plan of those parts. */
export function planOf(parts: PlanParts): PromptPlan {
  const { batch, slots, width, mode = 'split', candidates = slots + 1, gates, deep } = parts;
  return {
    batch,
    slots,
    width,
    prompts: parts.prompts ?? normals('prompts', batch * slots * width, 0.1),
    position: {
      mode,
      candidates,
      choice: Int32Array.from(parts.choice ?? new Array<number>(batch).fill(mode === 'split' ? slots : 0)),
    },
    gates: gates && Float32Array.from(gates),
    ...(deep === undefined
      ? {}
      : { deep: { layers: deep, prompts: normals('deep prompts', batch * deep * slots * width, 0.1) } }),
  };
}

/** Rows [B, …] that are all the first. */
export function repeated(values: Float32Array, batch: number): Float32Array {
  return values.map((_, index) => values[index % (values.length / batch)] ?? 0);
}

/** [count] draws from N(0, scale²), the same for the same name. */
export function normals(name: string, count: number, scale = 1): Float32Array {
  const random = stream(7, name);
  return new Float32Array(count).map(() => scale * random.normal());
}
