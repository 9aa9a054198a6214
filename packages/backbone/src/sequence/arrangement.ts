import {
  rowSlots,
  sourceTables,
  type AssemblyShape,
  type ExampleLayout,
  type PromptPlan,
} from '@dynaprompt/core';
import { float32, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { PROMPT_INPUT } from '../graph/names.js';
import { placesOf, PLAIN, type Sides } from './placement.js';

/**
 * Smallest gate that training works with: log γ and dL/dγ = (dL/d log γ)/γ stay finite, and a token of gate 0 gets 10⁻¹⁰ of
 * the attention it would get.
 */
export const GATE_FLOOR = 1e-10;

/**
 * `soft` keeps every slot and gates it by γ in the attention (training); `hard` drops the slots that no example of the batch uses
 * and leaves the others to the caller's mask (inference).
 */
export type Gating = 'soft' | 'hard';

/** Where prompts and content of a batch stand. */
export interface Arrangement {
  readonly shape: AssemblyShape;
  readonly layouts: readonly ExampleLayout[];
  /** [B, T] what stands where (see `sourceTables` of core). */
  readonly tables: Int32Array;
  /** [B, T] where the slots of the tables stand in the model's rows; undefined: where they stand in the tables. */
  readonly places: Int32Array | undefined;
  /** [B, l] position of each prompt row. */
  readonly slots: Int32Array;
}

/** A batch with its prompts in place, as graph inputs. */
export interface PromptedBatch extends Arrangement {
  readonly feeds: Readonly<Record<string, TensorValue>>;
}

/**
 * Puts prompts and content in place; without a plan the prompts are empty.
 * @param own layouts of the examples without prompts.
 * @param sides of padding and of tokens that are off; the latter are in front in training only. Default: behind everything.
 */
export function arrangeSequences(
  own: readonly Omit<ExampleLayout, 'active'>[],
  plan: PromptPlan | undefined,
  gating: Gating,
  sides: Sides = PLAIN,
): Arrangement {
  const batch = own.length;
  const active = activeTokens(plan, batch);
  const kept = gating === 'hard' ? Math.max(0, ...active) : (plan?.slots ?? 0);
  const longest = Math.max(...own.map(({ before, content, after }) => before + content + after));
  const shape: AssemblyShape = {
    mode: plan?.position.mode ?? 'split',
    candidates: plan?.position.candidates ?? 1,
    slots: kept,
    total: longest + kept,
  };
  const layouts = own.map((layout, index) => ({ ...layout, active: active[index] ?? 0 }));
  const tables = sourceTables(shape, layouts, plan?.position.choice ?? new Int32Array(batch));
  const { padding, inactive } = sides;
  const places = placesOf(layouts, kept, shape.total, {
    padding,
    inactive: gating === 'soft' ? inactive : 'back',
  });
  const slots = rowSlots(tables, batch, kept).map((slot, index) =>
    placeOf({ places, shape }, Math.floor(index / kept), slot),
  );
  return { shape, layouts, tables, places, slots };
}

/** Where a slot of an example's table stands in the model's row. */
export function placeOf(
  { places, shape }: Pick<Arrangement, 'places' | 'shape'>,
  example: number,
  slot: number,
): number {
  return places?.[example * shape.total + slot] ?? slot;
}

/** Prompts of an arrangement's kept slots as inputs of a prompted graph. */
export function promptFeeds(
  plan: PromptPlan | undefined,
  { shape: { slots }, layouts }: Arrangement,
  width: number,
): Record<string, TensorValue> {
  const batch = layouts.length;
  const feeds = {
    [PROMPT_INPUT.prompts]: float32(keptRows(plan?.prompts, plan, slots), [batch, slots, width]),
  };
  if (!plan?.deep) return feeds;
  const { layers, prompts } = plan.deep;
  const deep = float32(keptRows(prompts, plan, slots), [batch, layers, slots, width]);
  return { ...feeds, [PROMPT_INPUT.deep]: deep };
}

/** log γ of a prompt token, by which attention to it is weighted; finite at γ = 0. */
export function logGate(plan: PromptPlan, example: number, token: number): number {
  return Math.log(Math.max(plan.gates?.[example * plan.slots + token] ?? 1, GATE_FLOOR));
}

/** [B] how many prompt tokens are on: all, or those whose gate is at least one half. */
export function activeTokens(plan: PromptPlan | undefined, batch: number): number[] {
  if (!plan) return new Array<number>(batch).fill(0);
  const { gates, slots } = plan;
  if (!gates) return new Array<number>(batch).fill(slots);
  return Array.from({ length: batch }, (_, example) => {
    let count = 0;
    while (count < slots && (gates[example * slots + count] ?? 0) >= 0.5) count++;
    return count;
  });
}

/** The first `kept` rows of every prompt among the values [prompts, l, d]. */
function keptRows(
  values: Float32Array | undefined,
  plan: PromptPlan | undefined,
  kept: number,
): Float32Array {
  if (!values || !plan || kept === 0) return new Float32Array(0);
  if (kept === plan.slots) return values;
  const [whole, part] = [plan.slots * plan.width, kept * plan.width];
  const count = values.length / whole;
  const rows = new Float32Array(count * part);
  for (let prompt = 0; prompt < count; prompt++) {
    rows.set(values.subarray(prompt * whole, prompt * whole + part), prompt * part);
  }
  return rows;
}
