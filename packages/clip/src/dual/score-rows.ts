import { IMPOSSIBLE } from '@dynaprompt/backbone';
import type { ParameterSet } from '@dynaprompt/core';
import { fusedWidth, SCORE_INPUT, type ScoreHead } from '../graph/scores.js';
import { linear } from './embedding-backbone.js';
import { product, products } from './unit-rows.js';

/** Embeddings of length 1 that are scored. */
export interface ScoredRows {
  /** [B, D] */
  readonly images: Float32Array | undefined;
  /** [R, D] */
  readonly texts: Float32Array | undefined;
  /** [B] texts of each image, where it has its own. */
  readonly counts: readonly number[];
}

/** Logits [B, K] as the graph of a step computes them. */
export function scoreRows(
  head: ScoreHead,
  values: ParameterSet,
  { images, texts, counts }: ScoredRows,
): Float32Array {
  const { width, classes, scoring, logitScale } = head;
  if (scoring === 'fused') {
    return linear(fused(images, texts, width), values, fusedWidth(head));
  }
  const factor = Math.exp(values.get(SCORE_INPUT.scale)?.values[0] ?? logitScale.scale);
  const scaled = (cosine: number): number => factor * cosine + logitScale.bias;
  const [v, t] = [images ?? new Float32Array(), texts ?? new Float32Array()];
  if (scoring === 'shared') return products(v, t, width).map(scaled);
  const logits = new Float32Array(counts.length * classes).fill(IMPOSSIBLE);
  let row = 0;
  counts.forEach((count, image) => {
    for (let candidate = 0; candidate < count; candidate++)
      logits[image * classes + candidate] = scaled(product(v, image, t, row++, width));
  });
  return logits;
}

/** [v; t; v⊙t] of every image and its text, or the one that there is. */
export function fused(
  images: Float32Array | undefined,
  texts: Float32Array | undefined,
  width: number,
): Float32Array {
  if (!images || !texts) return images ?? texts ?? new Float32Array();
  const rows = new Float32Array(3 * images.length);
  for (let start = 0; start < images.length; start += width) {
    const [v, t] = [images.subarray(start, start + width), texts.subarray(start, start + width)];
    rows.set(v, 3 * start);
    rows.set(t, 3 * start + width);
    rows.set(
      v.map((value, column) => value * (t[column] ?? 0)),
      3 * start + 2 * width,
    );
  }
  return rows;
}
