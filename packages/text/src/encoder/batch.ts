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
import type { Head } from './head.js';
import { INPUT } from './names.js';

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
  /** [B, l] position of each prompt row. */
  readonly slots: Int32Array;
}

/** What the arrangement of a batch depends on besides its examples. */
export interface BatchOptions {
  readonly head: Head;
  readonly padId: number;
  readonly width: number;
  readonly modelInputs: ReadonlySet<string>;
  /**
   * `soft` keeps every slot and gates it by γ in the attention (training); `hard` drops the slots that no example of the batch
   * uses and masks the rest (inference).
   */
  readonly gating: 'soft' | 'hard';
  /** Overrides the head's pooling by the mean over the example's own tokens: instance features. */
  readonly pooling?: 'mean';
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
  const slots = rowSlots(tables, batch, kept);
  return { feeds: feedsOf(examples, plan, options, shape, layouts, tables), shape, layouts, tables, slots };
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
  shape: AssemblyShape,
  layouts: readonly ExampleLayout[],
  tables: Int32Array,
): Record<string, TensorValue> {
  const { slots, total } = shape;
  const batch = examples.length;
  const size = batch * total;
  const ids = new Int32Array(size).fill(options.padId);
  const types = new Int32Array(size);
  const mask = new Int32Array(size);
  const order = new Int32Array(size);
  const keyBias = new Float32Array(size);
  const pooling = new Float32Array(size);
  const isSoft = options.gating === 'soft' && plan?.gates !== undefined;

  examples.forEach((example, row) => {
    const active = layouts[row]?.active ?? 0;
    for (let position = 0; position < total; position++) {
      const at = row * total + position;
      const source = tables[at] ?? PADDING;
      order[at] = slots + position;
      if (source === PADDING) continue;
      if (source < slots) {
        order[at] = source;
        mask[at] = isSoft || source < active ? 1 : 0;
        if (isSoft) keyBias[at] = Math.log(Math.max(gateOf(plan, row, source), GATE_FLOOR));
        continue;
      }
      const token = source - slots;
      ids[at] = example.ids[token] ?? options.padId;
      types[at] = example.types[token] ?? 0;
      mask[at] = 1;
      pooling[at] = poolingWeight(example, token, options);
    }
  });
  const feeds: Record<string, TensorValue> = {
    [INPUT.ids]: int64(ids, [batch, total]),
    [INPUT.mask]: int64(mask, [batch, total]),
    [INPUT.types]: int64(types, [batch, total]),
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

function poolingWeight(example: EncodedExample, token: number, { head, pooling }: BatchOptions): number {
  if (pooling === 'mean' || (head.kind === 'linear' && head.pooling === 'mean'))
    return 1 / example.ids.length;
  return token === (head.kind === 'verbalizer' ? example.mask : 0) ? 1 : 0;
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
