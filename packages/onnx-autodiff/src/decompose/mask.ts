import { DataType } from '../graph/types.js';
import type { DecompositionContext } from './decomposition.js';
import { BLOCKED } from './scaled-product.js';

/** 0 … n − 1 along an axis of a tensor, int64 [n]. */
export function places({ emit, once }: DecompositionContext, tensor: string, axis: number): string {
  return once(`places ${tensor} ${axis}`, () => {
    const count = emit.squeeze(emit.extents(tensor, axis), [0]);
    return emit.op('Range', [emit.int(0), count, emit.int(1)]);
  });
}

/** Truth values as what is added to the scores: 0 where true. */
export function blockedUnless({ emit }: DecompositionContext, allowed: string, blocked = BLOCKED): string {
  return emit.op('Where', [allowed, emit.float(0), emit.float(blocked)]);
}

/**
 * What lets query i of S attend to keys up to T − S + i of T only, [S, T]: to itself and what came before, with the past in
 * front of it.
 * @param past tensor whose axis 2 are the past keys; '' for none.
 */
export function causalBias(context: DecompositionContext, query: string, keys: string, past: string): string {
  const { emit } = context;
  let rows = places(context, query, 2);
  if (past !== '') rows = emit.add(rows, emit.extents(past, 2));
  const columns = emit.unsqueeze(places(context, keys, 2), [0]);
  return blockedUnless(context, emit.op('LessOrEqual', [columns, emit.unsqueeze(rows, [1])]));
}

/** The sum of masks that are smaller than the scores, so that the scores are passed over once; [] for none. */
export function joinedBiases({ emit }: DecompositionContext, masks: readonly string[]): readonly string[] {
  return masks.length < 2 ? masks : [masks.reduce((sum, mask) => emit.add(sum, mask))];
}

/**
 * mask_index of Attention and key_padding_mask of MultiHeadAttention (onnxruntime/docs/ContribOperators.md), int32, as what is
 * added to the scores: [B, T] and [B, S, T] hold 1 where a key counts; [B] or [2B] hold the ends of the keys that count and
 * then, in Attention, their starts. A key that does not count gets `filter` (−10000 by default), as in onnxruntime, so a row
 * without any key that counts attends to all.
 */
export function paddingBias(
  context: DecompositionContext,
  mask: string,
  keys: string,
  filter: number,
  hasStarts: boolean,
): string {
  const { emit, ranks, once } = context;
  const rank = ranks.get(mask);
  if (rank === undefined) throw context.unsupported('the rank of its mask is not known');
  if (rank > 3)
    throw context.unsupported(`its mask has ${rank} axes, for which onnxruntime has no kernel on the CPU`);
  if (rank >= 2) {
    return once(`padding ${mask} ${filter}`, () => {
      const counts = emit.op('Greater', [mask, emit.cast(emit.int(0), DataType.int32)]);
      return emit.unsqueeze(blockedUnless(context, counts, filter), rank === 2 ? [1, 2] : [1]);
    });
  }
  return once(`lengths ${mask} ${filter}`, () => {
    const positions = emit.unsqueeze(places(context, keys, 2), [0]);
    const batch = emit.extents(keys, 0);
    const long = emit.cast(mask, DataType.int64);
    const column = (start: string, end: string): string =>
      emit.unsqueeze(emit.op('Slice', [long, start, end, emit.ints(0)]), [1]);
    let counts = emit.op('Less', [positions, column(emit.ints(0), batch)]);
    if (hasStarts) {
      // [2B] has starts behind the ends; the sum over nothing is 0.
      const rows = emit.reshape(long, emit.concat([emit.ints(-1), batch], 0));
      const rest = emit.op('Slice', [rows, emit.ints(1), emit.ints(2), emit.ints(0)]);
      const starts = emit.unsqueeze(emit.reduceSum(rest, [0], 0), [1]);
      counts = emit.op('And', [counts, emit.op('GreaterOrEqual', [positions, starts])]);
    }
    return emit.unsqueeze(blockedUnless(context, counts, filter), [1, 2]);
  });
}

/** Whether a tensor is a constant without elements: a past that nobody has yet. */
export function isEmpty({ graph }: DecompositionContext, tensor: string): boolean {
  return tensor === '' || graph.initializers.get(tensor)?.dims.includes(0) === true;
}
