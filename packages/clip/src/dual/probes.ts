import { PROMPT_INPUT } from '@dynaprompt/backbone';
import { int64, type ProbeInputs, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { fusedWidth, ownFeeds, SCORE_INPUT } from '../graph/scores.js';
import { VISION_SUFFIX } from '../graph/step-graph.js';
import { SOURCE_TENSORS } from '../graph/vision-source.js';
import { PIXELS, TEXT_INPUT } from '../towers/names.js';
import type { DualParts } from './dual-parts.js';
import type { StepVariant } from './open-sessions.js';

/** What shapes depend on. */
export type ProbedVariant = Pick<StepVariant, 'text' | 'vision' | 'head'>;

type Floats = (...dims: readonly number[]) => TensorValue;

/** Small inputs of a step's graph for finding shapes: extents that may vary differ, from one another too. */
export function probesOf(parts: DualParts, variant: ProbedVariant, floats: Floats): ProbeInputs {
  return [probe(parts, variant, floats, [2, 3], 4, 8), probe(parts, variant, floats, [3, 5], 6, 11)];
}

/**
 * @param counts images, and texts: of all where they are shared, of each image where it has its own.
 * @param slots l
 * @param length of texts
 */
function probe(
  { text, vision, width, source }: DualParts,
  { text: textVariant, vision: visionVariant, head }: ProbedVariant,
  floats: Floats,
  [images, texts]: readonly [number, number],
  slots: number,
  length: number,
): Record<string, TensorValue> {
  const rows = head.scoring === 'shared' ? texts : head.scoring === 'own' ? images * texts : images;
  const suffix = textVariant && visionVariant ? VISION_SUFFIX : '';
  const ones = (...dims: readonly number[]): TensorValue =>
    int64(new Int32Array(dims.reduce((size, extent) => size * extent, 1)).fill(1), dims);
  const total = vision.patches.special + vision.content + slots;
  const planWidth = source.kind === 'coupled' ? source.textWidth : vision.width;
  const layers = (visionVariant?.deep ?? 0) + 1;
  const leading = layers === 1 ? [] : [layers];
  const batch = (
    count: number,
    extent: number,
    planned: number,
    deep: number,
  ): Record<string, TensorValue> => ({
    [PROMPT_INPUT.prompts]: floats(count, slots, planned),
    [PROMPT_INPUT.deep]: floats(count, deep, slots, planned),
    [PROMPT_INPUT.order]: ones(count, extent),
    [PROMPT_INPUT.keyBias]: floats(count, extent),
    [PROMPT_INPUT.gatedRows]: floats(count, extent),
  });
  const seen: Record<string, TensorValue> = {
    ...batch(images, total, planWidth, visionVariant?.deep ?? 0),
    [PIXELS]: floats(images, 3, vision.size.height, vision.size.width),
    active_prompts: ones(images),
    row_weights: floats(images, total),
  };
  const read = Object.values(TEXT_INPUT).map((name) => [name, ones(rows, length)] as const);
  return {
    ...(visionVariant
      ? Object.fromEntries(Object.entries(seen).map(([name, value]) => [`${name}${suffix}`, value]))
      : {}),
    ...(textVariant
      ? { ...batch(rows, length, text.width, textVariant.deep), ...Object.fromEntries(read) }
      : {}),
    [SCORE_INPUT.images]: floats(images, width),
    [SCORE_INPUT.texts]: floats(rows, width),
    [SCORE_INPUT.scale]: floats(1),
    ...ownFeeds(new Array<number>(images).fill(texts), texts),
    'head.weight': floats(head.classes, fusedWidth(head)),
    'head.bias': floats(head.classes),
    ...(source.kind === 'coupled'
      ? {
          [SOURCE_TENSORS.weight]: floats(...leading, source.textWidth, source.visionWidth),
          [SOURCE_TENSORS.bias]: floats(...leading, source.visionWidth),
        }
      : {}),
  };
}
