import {
  arrangeSequences,
  logGate,
  promptFeeds,
  PROMPT_INPUT,
  type PromptedBatch,
} from '@dynaprompt/backbone';
import type { PromptPlan } from '@dynaprompt/core';
import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { INPUT } from './names.js';
import type { VisionModel } from './vision-model.js';

/** What a batch is arranged for. */
export interface BatchOptions {
  /** `soft` gates every slot (training), `hard` drops those that no example uses (inference). */
  readonly gating: 'soft' | 'hard';
  /** Rows in front that are not among those the head pools; undefined where it reads single rows only. */
  readonly skipped: number | undefined;
}

/** Added to the attention scores of a token that is attended by nobody: e^x is 0 in single precision. */
const UNATTENDED = -1e9;

/** Puts prompts behind class token and registers, among the patches; feeds are all but the pixels. */
export function assembleBatch(
  batch: number,
  plan: PromptPlan | undefined,
  { patches, content, width }: VisionModel,
  { gating, skipped }: BatchOptions,
): PromptedBatch {
  const own = Array.from({ length: batch }, () => ({ before: patches.special, content, after: 0 }));
  const arranged = arrangeSequences(own, plan, gating);
  const { shape, layouts, tables } = arranged;
  const { slots, total } = shape;
  const dims = [batch, total];
  const feeds: Record<string, TensorValue> = {
    ...promptFeeds(plan, arranged, width),
    [PROMPT_INPUT.order]: int64(tables, dims),
  };
  const active = layouts.map((layout) => layout.active);
  if (patches.positions !== undefined) feeds[INPUT.active] = int64(active, [batch]);
  if (skipped !== undefined) {
    feeds[INPUT.rowWeights] = float32(rowWeights(tables, slots, skipped, patches.special + content), dims);
  }
  const isGated = gating === 'soft' ? plan?.gates !== undefined : active.some((count) => count < slots);
  if (plan && isGated) {
    const bias = new Float32Array(batch * total);
    tables.forEach((source, place) => {
      if (source >= slots) return;
      const example = Math.floor(place / total);
      const isOff = source >= (active[example] ?? 0);
      bias[place] = gating === 'soft' ? logGate(plan, example, source) : isOff ? UNATTENDED : 0;
    });
    feeds[PROMPT_INPUT.keyBias] = float32(bias, dims);
  }
  return { ...arranged, feeds };
}

/** Equal weights for the rows of the picture itself from `skipped` on. */
export function rowWeights(tables: Int32Array, slots: number, skipped: number, rows: number): Float32Array {
  return Float32Array.from(tables, (source) => (source >= slots + skipped ? 1 / (rows - skipped) : 0));
}
