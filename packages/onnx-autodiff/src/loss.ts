import type { Emitter } from './graph/emitter.js';
import { DataType } from './graph/types.js';
import type { Seed } from './gradient.js';

/** Labels of this value count neither in the loss nor in its mean (PyTorch's `ignore_index`). */
export const IGNORED_LABEL = -100;

/** A scalar loss and where its gradient starts. */
export interface Loss {
  /** Tensor of the loss, float32 scalar. */
  readonly loss: string;
  readonly seed: Seed;
}

/**
 * Mean cross-entropy of logits [..., classes] against class indices `labels` [...] (int64), in nats; labels of −100 are left
 * out. Its gradient, (softmax − one-hot) / n, subtracts 1 at the labels in place: no one-hot matrix over the classes is made.
 */
export function crossEntropy(emit: Emitter, logits: string, labels: string): Loss {
  const counted = emit.op('Not', [emit.op('Equal', [labels, emit.int(IGNORED_LABEL)])]);
  const weights = emit.cast(counted, DataType.float32);
  // n ≥ 1: a batch of ignored labels has loss 0.
  const count = emit.op('Max', [emit.op('ReduceSum', [weights], { keepdims: 0 }), emit.float(1)]);
  // Other negative labels would count from the last class; the largest index makes GatherElements refuse them.
  const isNegative = emit.op('Less', [labels, emit.int(0)]);
  const checked = emit.op('Where', [isNegative, emit.int(2 ** 31), labels]);
  const safeLabels = emit.unsqueeze(emit.op('Where', [counted, checked, emit.int(0)]), [-1]);
  const logProbabilities = emit.op('LogSoftmax', [logits], { axis: -1 });
  const chosen = emit.op('GatherElements', [logProbabilities, safeLabels], { axis: -1 });
  const column = emit.unsqueeze(weights, [-1]);
  const sum = emit.op('ReduceSum', [emit.mul(chosen, column)], { keepdims: 0 });
  const probabilities = emit.op('Exp', [logProbabilities]);
  const atLabels = emit.sub(emit.op('Exp', [chosen]), emit.float(1));
  const difference = emit.op('ScatterElements', [probabilities, safeLabels, atLabels], { axis: -1 });
  const gradient = emit.mul(difference, emit.div(column, count));
  return { loss: emit.neg(emit.div(sum, count)), seed: { tensor: logits, gradient } };
}

/**
 * Mean of (value − target)² over all elements of values [...] and `targets` of the same shape (float32). Its gradient is
 * 2 (value − target) / n.
 */
export function meanSquaredError(emit: Emitter, values: string, targets: string): Loss {
  // Targets of another shape are refused, where a difference would broadcast.
  const aligned = emit.reshape(targets, emit.op('Shape', [values]));
  const difference = emit.sub(values, aligned);
  const loss = emit.op('ReduceMean', [emit.mul(difference, difference)], { keepdims: 0 });
  const size = emit.cast(emit.op('Size', [values]), DataType.float32);
  const gradient = emit.mul(difference, emit.div(emit.float(2), size));
  return { loss, seed: { tensor: values, gradient } };
}
