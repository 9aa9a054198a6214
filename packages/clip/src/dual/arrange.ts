import { PROMPT_INPUT, type Gating, type PromptedBatch } from '@dynaprompt/backbone';
import type { PromptPlan } from '@dynaprompt/core';
import { int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { assembleBatch } from '@dynaprompt/vision';
import type { TowerVariant } from '../graph/prompted-tower.js';
import { assembleTexts, type TokenRow } from '../towers/text-batch.js';
import type { DualParts } from './dual-parts.js';

/** Texts with prompts in place. */
export function arrangeTexts(
  { text, padId }: DualParts,
  rows: readonly TokenRow[],
  plan: PromptPlan | undefined,
  gating: Gating,
): PromptedBatch {
  return assembleTexts(rows, plan, gating, { ...text, padId });
}

/** Patches of `count` pictures with prompts in place. */
export function arrangeImages(
  { vision }: DualParts,
  count: number,
  plan: PromptPlan | undefined,
  gating: Gating,
): PromptedBatch {
  const model = { ...vision, width: plan?.width ?? vision.width };
  return assembleBatch(count, plan, model, { gating, skipped: vision.skipped });
}

/** What a tower's graph needs for feeds of a plan. */
export function variantOf(
  { feeds }: Pick<PromptedBatch, 'feeds'>,
  plan: PromptPlan | undefined,
): TowerVariant {
  return { deep: plan?.deep?.layers ?? 0, gates: PROMPT_INPUT.keyBias in feeds };
}

/** Where the prompts' gradients are read, [rows, l]. */
export function slotFeed({ slots, shape }: PromptedBatch): TensorValue {
  return int64(slots, [shape.slots === 0 ? 0 : slots.length / shape.slots, shape.slots]);
}
