import {
  arrangeSequences,
  logGate,
  placeOf,
  promptFeeds,
  type Arrangement,
  type Gating,
  type PromptedBatch,
  type Sides,
} from '@dynaprompt/backbone';
import { PADDING, type ExampleLayout, type PromptPlan } from '@dynaprompt/core';
import { float32, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { EncodedExample } from '../tokenization/encode.js';
import type { Pooling } from './head.js';
import { INPUT } from './names.js';

/** What the arrangement of a batch depends on besides its examples. */
export interface BatchOptions {
  readonly padId: number;
  readonly width: number;
  readonly modelInputs: ReadonlySet<string>;
  readonly gating: Gating;
  /**
   * What is pooled: the `mean` over the example's own tokens, its first token (`cls`), its `mask` token, or the `last` token in
   * front of an answer, be it one of the prompt.
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
  const arranged = arrangeSequences(
    examples.map(({ layout }) => layout),
    plan,
    options.gating,
    options.sides,
  );
  return { ...arranged, feeds: feedsOf(examples, plan, options, arranged) };
}

/** Token id where a prompt stands: models that count positions by the padding's id (RoBERTa) have to count prompts too. */
export function promptIdOf(padId: number): number {
  return padId === 0 ? 1 : 0;
}

/** Slot of an example's table that holds the last token in front of an answer of `answered` tokens. */
export function lastSlot({ before, content, after, active }: ExampleLayout, answered: number): number {
  return before + content + active + after - answered - 1;
}

function feedsOf(
  examples: readonly EncodedExample[],
  plan: PromptPlan | undefined,
  options: BatchOptions,
  arranged: Arrangement,
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
  // A token that is off and seen by others (a decoder's) sees those in front of it as if all of them were on. Gated among each
  // other they would see each other in shares of one gate to the next, which are arbitrary where both are 0.
  const gatedRows = new Float32Array(size).fill(1);
  const isSoft = options.gating === 'soft' && plan?.gates !== undefined;
  const promptId = promptIdOf(options.padId);

  examples.forEach((example, row) => {
    const layout = layouts[row];
    const active = layout?.active ?? 0;
    const last = layout ? lastSlot(layout, example.answered ?? 0) : 0;
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
        if (isSoft) keyBias[at] = logGate(plan, row, source);
        if (source >= active) gatedRows[at] = 0;
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
  Object.assign(feeds, promptFeeds(plan, arranged, options.width));
  feeds[INPUT.order] = int64(order, [batch, total]);
  feeds[INPUT.pooling] = float32(pooling, [batch, total]);
  if (isSoft) feeds[INPUT.keyBias] = float32(keyBias, [batch, total]);
  if (isSoft && options.sides?.inactive === 'front')
    feeds[INPUT.gatedRows] = float32(gatedRows, [batch, total]);
  return feeds;
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
