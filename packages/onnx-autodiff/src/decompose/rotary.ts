import { floatAttribute, intAttribute } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { halves, type Decomposition, type DecompositionContext } from './decomposition.js';

/** How positions turn the features of a head. */
export interface Rotation {
  /** Cosines and sines of the angles, [B or 1, 1, S, r/2] or [B or 1, S, 1, r/2]: of the rank of what is turned. */
  readonly cosine: string;
  readonly sine: string;
  /** Pairs are neighbours (2i, 2i + 1) instead of (i, i + r/2). */
  readonly isInterleaved: boolean;
  /** How many features r of a head are turned; 0 for all. */
  readonly width: number;
}

/**
 * Rotary position embedding of a tensor of rank 4, [.., .., .., H] (Su et al. 2021, RoFormer, eq. 34):
 * a′ = a cos − b sin, b′ = a sin + b cos for every pair (a, b) of features.
 */
export function rotate(context: DecompositionContext, x: string, rotation: Rotation): string {
  const { emit } = context;
  const { isInterleaved, width } = rotation;
  if (width === 0)
    return isInterleaved ? rotateNeighbours(context, x, rotation) : rotateHalves(context, x, rotation);
  const part = (start: number, end: number): string =>
    emit.op('Slice', [x, emit.ints(start), emit.ints(end), emit.ints(-1)]);
  const turned = rotate(context, part(0, width), { ...rotation, width: 0 });
  return emit.concat([turned, part(width, Number.MAX_SAFE_INTEGER)], -1);
}

function rotateHalves(context: DecompositionContext, x: string, { cosine, sine }: Rotation): string {
  return context.emit.concat(turn(context, halves(context, x), cosine, sine), -1);
}

function rotateNeighbours(context: DecompositionContext, x: string, { cosine, sine }: Rotation): string {
  const { emit } = context;
  const pairs = emit.reshape(x, emit.ints(0, 0, 0, -1, 2));
  const [cosines, sines] = [emit.unsqueeze(cosine, [-1]), emit.unsqueeze(sine, [-1])];
  const turned = emit.concat(turn(context, halves(context, pairs), cosines, sines), -1);
  return emit.reshape(turned, emit.ints(0, 0, 0, -1));
}

function turn(
  { emit }: DecompositionContext,
  [a, b]: readonly [string, string],
  cosine: string,
  sine: string,
): [string, string] {
  return [emit.sub(emit.mul(a, cosine), emit.mul(b, sine)), emit.add(emit.mul(a, sine), emit.mul(b, cosine))];
}

/**
 * Rows of a cache of cosines or sines [positions, r/2] at positions [B, S] or [S], with an axis of 1 for the heads: 1 where
 * they stand before the tokens, 2 where they stand behind them. Layers share it.
 */
export function angles(
  { emit, once }: DecompositionContext,
  cache: string,
  positions: string,
  headAxis: 1 | 2,
): string {
  return once(`angles ${cache} ${positions} ${headAxis}`, () =>
    emit.unsqueeze(emit.op('Gather', [cache, positions]), [headAxis]),
  );
}

/** offset + 0 … S − 1 as [1, S] for a tensor whose tokens run along `axis`. */
function positionsFrom({ emit }: DecompositionContext, offset: string, x: string, axis: number): string {
  const count = emit.squeeze(emit.extents(x, axis), [0]);
  const places = emit.op('Range', [emit.int(0), count, emit.int(1)]);
  return emit.unsqueeze(emit.add(places, offset), [0]);
}

/** Turns [B, S, N · H] or [B, N, S, H]; `rotationOf` gets the axis of tokens and that of heads in rank 4. */
function rotated(
  context: DecompositionContext,
  isFlat: boolean,
  heads: string,
  rotationOf: (tokenAxis: 1 | 2, headAxis: 1 | 2) => Rotation,
): string {
  const { emit, x } = context;
  const [input = ''] = x;
  if (!isFlat) return rotate(context, input, rotationOf(2, 1));
  const split = emit.reshape(input, heads);
  return emit.reshape(rotate(context, split, rotationOf(1, 2)), emit.ints(0, 0, -1));
}

/** Rotary position embeddings. */
export const rotaryDecompositions = {
  // onnxruntime/docs/ContribOperators.md; position_ids [1] is the first position of every example
  'com.microsoft.RotaryEmbedding': (context) => {
    const { node, x, emit, ranks } = context;
    const [input = '', positionIds = '', cosine = '', sine = ''] = x;
    const rank = ranks.get(input);
    const isOffset = ranks.get(positionIds) === 1;
    if (rank === undefined || ranks.get(positionIds) === undefined)
      throw context.unsupported('the rank of its input or of its positions is not known');
    if (intAttribute(node, 'is_packed_batching', 0) !== 0) throw context.unsupported('its batch is packed');
    if (floatAttribute(node, 'scale', 1) !== 1) throw context.unsupported('its positions are scaled');
    const heads = intAttribute(node, 'num_heads', 0);
    const width = intAttribute(node, 'rotary_embedding_dim', 0);
    if (rank === 3 && width > 0 && heads === 0) throw context.unsupported('its number of heads is not given');
    const shape = (): string => {
      if (heads > 0) return emit.ints(0, 0, heads, -1);
      return emit.concat([emit.ints(0, 0, -1), emit.mul(emit.extents(cosine, 1), emit.ints(2))], 0);
    };
    const output = rotated(context, rank === 3, rank === 3 ? shape() : '', (tokenAxis, headAxis) => {
      const positions = isOffset
        ? positionsFrom(context, positionIds, input, rank === 3 ? 1 : tokenAxis)
        : positionIds;
      const at = (cache: string): string => angles(context, cache, positions, headAxis);
      const isInterleaved = intAttribute(node, 'interleaved', 0) !== 0;
      return { cosine: at(cosine), sine: at(sine), isInterleaved, width };
    });
    return [output];
  },
  // onnx/docs/Operators.md, since 23; without position_ids the caches are [B, S, r/2]
  RotaryEmbedding: (context) => {
    const { node, x, emit, ranks } = context;
    const [input = '', cosine = '', sine = '', positionIds = ''] = x;
    const heads = intAttribute(node, 'num_heads', 0);
    const rank = ranks.get(input) ?? (heads > 0 ? 3 : undefined);
    if (rank === undefined) throw context.unsupported('the rank of its input is not known');
    if (rank === 3 && heads === 0) throw context.unsupported('its number of heads is not given');
    const output = rotated(context, rank === 3, emit.ints(0, 0, heads, -1), (_tokenAxis, headAxis) => {
      const at = (cache: string): string =>
        positionIds === ''
          ? emit.unsqueeze(cache, [headAxis])
          : angles(context, cache, positionIds, headAxis);
      const isInterleaved = intAttribute(node, 'interleaved', 0) !== 0;
      const width = intAttribute(node, 'rotary_embedding_dim', 0);
      return { cosine: at(cosine), sine: at(sine), isInterleaved, width };
    });
    return [output];
  },
} as const satisfies Record<string, Decomposition>;

/** An integer tensor as int64. */
export function asLong({ emit, types }: DecompositionContext, tensor: string): string {
  return types.get(tensor) === DataType.int64 ? tensor : emit.cast(tensor, DataType.int64);
}
