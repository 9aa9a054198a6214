import type { Emitter } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { buildModel, integerInput } from './models.js';
import { randomFloats } from './random.js';

/** Extents of {@link attentionModel}: a vocabulary of 11, 2 heads of width 4, 3 classes. */
export const VOCABULARY = 11;
export const WIDTH = 8;
const HEADS = 2;
const CLASSES = 3;

export interface AttentionModelOptions {
  /** Adds (1 − attention_mask) · −1e9 to the scores. Default true. */
  readonly isMasked?: boolean;
  readonly layers?: number;
  readonly opset?: number;
}

/**
 * A small encoder as exporters write it: `input_ids` [B, T] looked up in a table, attention with residual and layer
 * normalisation, the first token into a linear head. Outputs `hidden` [B, T, d] and `logits` [B, 3].
 */
export function attentionModel(options: AttentionModelOptions = {}): Uint8Array {
  const { isMasked = true, layers = 1, opset = 17 } = options;
  return buildModel((emit) => {
    const ids = integerInput(emit, 'input_ids', 'batch_size', 'sequence_length');
    let hidden = emit.op('Gather', [weight(emit, 1, VOCABULARY, WIDTH), ids]);
    const mask = isMasked ? additiveMask(emit) : undefined;
    for (let layer = 0; layer < layers; layer++) hidden = attentionLayer(emit, hidden, mask, 10 * layer);
    emit.output('hidden', hidden);
    const first = emit.op('Gather', [hidden, emit.int(0)], { axis: 1 });
    const head = emit.op('Gemm', [first, weight(emit, 6, WIDTH, CLASSES), weight(emit, 7, CLASSES)]);
    emit.output('logits', head);
  }, opset);
}

/** [B, 1, 1, T], 0 where a token counts. */
function additiveMask(emit: Emitter): string {
  const mask = integerInput(emit, 'attention_mask', 'batch_size', 'sequence_length');
  const counted = emit.cast(emit.unsqueeze(mask, [1, 2]), DataType.float32);
  return emit.mul(emit.sub(emit.float(1), counted), emit.float(-1e9));
}

function attentionLayer(emit: Emitter, hidden: string, mask: string | undefined, seed: number): string {
  // [B, T, d] → [B, h, T, d/h]
  const heads = (tensor: string): string => {
    const split = emit.reshape(tensor, emit.ints(0, 0, HEADS, WIDTH / HEADS));
    return emit.transpose(split, [0, 2, 1, 3]);
  };
  const [query, keys, values] = [2, 3, 4].map((offset) =>
    heads(emit.op('MatMul', [hidden, weight(emit, seed + offset, WIDTH, WIDTH)])),
  ) as [string, string, string];
  const scores = emit.div(emit.op('MatMul', [query, emit.transpose(keys, [0, 1, 3, 2])]), emit.float(2));
  const masked = mask === undefined ? scores : emit.add(scores, mask);
  const context = emit.op('MatMul', [emit.op('Softmax', [masked], { axis: -1 }), values]);
  const merged = emit.reshape(emit.transpose(context, [0, 2, 1, 3]), emit.ints(0, 0, WIDTH));
  const sum = emit.add(emit.op('MatMul', [merged, weight(emit, seed + 5, WIDTH, WIDTH)]), hidden);
  const [gamma, beta] = [weight(emit, seed + 8, WIDTH), weight(emit, seed + 9, WIDTH)];
  return emit.op('LayerNormalization', [sum, gamma, beta], { axis: -1, epsilon: { float: 1e-5 } });
}

function weight(emit: Emitter, seed: number, ...dims: readonly number[]): string {
  const size = dims.reduce((product, extent) => product * extent, 1);
  return emit.floats(randomFloats(seed, size, -0.8, 0.8), dims);
}
