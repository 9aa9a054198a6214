import {
  PADDING,
  rowSlots,
  sourceTables,
  type AssemblyShape,
  type ExampleLayout,
  type PromptPlan,
} from '@dynaprompt/core';
import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { EncodedExample } from '../tokenization/encode.js';
import type { Pooling } from './head.js';
import { INPUT } from './names.js';
import { placesOf, PLAIN, type Sides } from './placement.js';

/**
 * Smallest gate that training works with: log γ and dL/dγ = (dL/d log γ)/γ stay finite, and a token of gate 0 gets 10⁻¹⁰ of
 * the attention it would get.
 */
export const GATE_FLOOR = 1e-10;

/** A batch with its prompts in place, as graph inputs. */
export interface PromptedBatch {
  readonly feeds: Readonly<Record<string, TensorValue>>;
  readonly shape: AssemblyShape;
  readonly layouts: readonly ExampleLayout[];
  /** [B, T] what stands where (see `sourceTables` of core). */
  readonly tables: Int32Array;
  /** [B, T] where the slots of the tables stand in the model's rows; undefined: where they stand in the tables. */
  readonly places: Int32Array | undefined;
  /** [B, l] position of each prompt row. */
  readonly slots: Int32Array;
}

/** What the arrangement of a batch depends on besides its examples. */
export interface BatchOptions {
  readonly padId: number;
  readonly width: number;
  readonly modelInputs: ReadonlySet<string>;
  /**
   * `soft` keeps every slot and gates it by γ in the attention (training); `hard` drops the slots that no example of the batch
   * uses and masks the rest (inference).
   */
  readonly gating: 'soft' | 'hard';
  /**
   * What is pooled: the `mean` over the example's own tokens, its first token (`cls`), its `mask` token, or the `last` token in
   * front of closing tokens and answer, be it one of the prompt.
   */
  readonly pooling: Pooling | 'mask';
  /** Default: padding at the right. Tokens that are off are in front in training only. */
  readonly sides?: Sides;
}

/** Puts prompts and tokens in place. Without a plan the prompts are empty. */
export function assembleBatch(
  examples: readonly EncodedExample[],
  plan: PromptPlan | undefined,
  options: BatchOptions,
): PromptedBatch {
  const batch = examples.length;
  const active = activeTokens(plan, batch);
  const kept = options.gating === 'hard' ? Math.max(0, ...active) : (plan?.slots ?? 0);
  const longest = Math.max(...examples.map(({ ids }) => ids.length));
  const shape: AssemblyShape = {
    mode: plan?.position.mode ?? 'split',
    candidates: plan?.position.candidates ?? 1,
    slots: kept,
    total: longest + kept,
  };
  const layouts = examples.map(({ layout }, index) => ({ ...layout, active: active[index] ?? 0 }));
  const tables = sourceTables(shape, layouts, plan?.position.choice ?? new Int32Array(batch));
  const { padding, inactive } = options.sides ?? PLAIN;
  const sides: Sides = { padding, inactive: options.gating === 'soft' ? inactive : 'back' };
  const places = placesOf(layouts, kept, shape.total, sides);
  const slots = rowSlots(tables, batch, kept).map((slot, index) =>
    placeOf({ places, shape }, Math.floor(index / kept), slot),
  );
  const arranged = { shape, layouts, tables, places, slots };
  return { ...arranged, feeds: feedsOf(examples, plan, options, arranged) };
}

/** Where a slot of an example's table stands in the model's row. */
export function placeOf(
  { places, shape }: Pick<PromptedBatch, 'places' | 'shape'>,
  example: number,
  slot: number,
): number {
  return places?.[example * shape.total + slot] ?? slot;
}

/** Token id where a prompt stands: models that count positions by the padding's id (RoBERTa) have to count prompts too. */
export function promptIdOf(padId: number): number {
  return padId === 0 ? 1 : 0;
}

/** Slot of an example's table that holds the last token in front of its closing tokens, or its answer. */
export function lastSlot({ before, content, active }: ExampleLayout): number {
  return before + content + active - 1;
}

/** [B] how many prompt tokens are on: all, or those whose gate is at least one half. */
function activeTokens(plan: PromptPlan | undefined, batch: number): number[] {
  if (!plan) return new Array<number>(batch).fill(0);
  const { gates, slots } = plan;
  if (!gates) return new Array<number>(batch).fill(slots);
  return Array.from({ length: batch }, (_, example) => {
    let count = 0;
    while (count < slots && (gates[example * slots + count] ?? 0) >= 0.5) count++;
    return count;
  });
}

function feedsOf(
  examples: readonly EncodedExample[],
  plan: PromptPlan | undefined,
  options: BatchOptions,
  arranged: Omit<PromptedBatch, 'feeds'>,
): Record<string, TensorValue> {
  const { shape, layouts, tables } = arranged;
  const { slots, total } = shape;
  const batch = examples.length;
  const size = batch * total;
  const ids = new Int32Array(size).fill(options.padId);
  const types = new Int32Array(size);
  const mask = new Int32Array(size);
  const positions = new Int32Array(size);
  const order = new Int32Array(size);
  const keyBias = new Float32Array(size);
  const pooling = new Float32Array(size);
  const isSoft = options.gating === 'soft' && plan?.gates !== undefined;
  const promptId = promptIdOf(options.padId);

  examples.forEach((example, row) => {
    const layout = layouts[row];
    const active = layout?.active ?? 0;
    const last = layout ? lastSlot(layout) : 0;
    let lastPrompt = layout?.before ?? 0;
    for (let slot = 0; slot < total; slot++) {
      const position = placeOf(arranged, row, slot);
      const at = row * total + position;
      const source = tables[row * total + slot] ?? PADDING;
      order[at] = slots + position;
      if (source === PADDING) continue;
      pooling[at] = poolingWeight(example, source - slots, slot === last, options);
      if (source < slots) {
        order[at] = source;
        ids[at] = promptId;
        mask[at] = isSoft || source < active ? 1 : 0;
        // A token that is off would stand behind those that are on.
        if (source < active) lastPrompt = slot + 1;
        positions[at] = source < active ? slot : lastPrompt;
        if (isSoft) keyBias[at] = Math.log(Math.max(gateOf(plan, row, source), GATE_FLOOR));
        continue;
      }
      const token = source - slots;
      ids[at] = example.ids[token] ?? options.padId;
      types[at] = example.types[token] ?? 0;
      mask[at] = 1;
      positions[at] = slot;
    }
  });
  const feeds: Record<string, TensorValue> = {
    [INPUT.ids]: int64(ids, [batch, total]),
    [INPUT.mask]: int64(mask, [batch, total]),
    [INPUT.types]: int64(types, [batch, total]),
    [INPUT.positions]: int64(positions, [batch, total]),
  };
  for (const name of Object.keys(feeds))
    if (!options.modelInputs.has(name)) Reflect.deleteProperty(feeds, name);
  const { width } = options;
  feeds[INPUT.prompts] = float32(keptRows(plan?.prompts, plan, slots), [batch, slots, width]);
  if (plan?.deep) {
    const { layers, prompts } = plan.deep;
    feeds[INPUT.deep] = float32(keptRows(prompts, plan, slots), [batch, layers, slots, width]);
  }
  feeds[INPUT.order] = int64(order, [batch, total]);
  feeds[INPUT.pooling] = float32(pooling, [batch, total]);
  if (isSoft) feeds[INPUT.keyBias] = float32(keyBias, [batch, total]);
  return feeds;
}

function gateOf(plan: PromptPlan, example: number, token: number): number {
  return plan.gates?.[example * plan.slots + token] ?? 1;
}

/** @param token of the example's own; negative for a token of the prompt. */
function poolingWeight(
  example: EncodedExample,
  token: number,
  isLast: boolean,
  { pooling }: BatchOptions,
): number {
  if (pooling === 'last') return isLast ? 1 : 0;
  if (token < 0) return 0;
  if (pooling === 'mean') return 1 / example.ids.length;
  return token === (pooling === 'mask' ? example.mask : 0) ? 1 : 0;
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
