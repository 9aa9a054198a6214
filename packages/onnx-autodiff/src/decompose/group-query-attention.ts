import { floatAttribute, intAttribute } from '../graph/emitter.js';
import {
  lastExtent,
  refuseInputsFrom,
  type Decomposition,
  type DecompositionContext,
} from './decomposition.js';
import { blockedUnless, isEmpty, places } from './mask.js';
import { angles, asLong, rotate, type Rotation } from './rotary.js';
import { headGroups, headWidth, mergeHeads, scaledProduct, splitHeads } from './scaled-product.js';

/** Position of a key that is not there, beyond every query. */
const NOWHERE = 2 ** 40;

/** Where a batch's new tokens stand. */
interface Positions {
  /** int64 [B, 1] how many tokens of the past count; undefined without a past. */
  readonly past: string | undefined;
  /** int64 [B, S] or [1, S] */
  readonly queries: string;
}

/**
 * com.microsoft.GroupQueryAttention (onnxruntime/docs/ContribOperators.md, gqa_attention_base.h): causal attention of N heads to the
 * keys of K, Q, K, V apart or packed [B, S, (N + 2K) · H], with rotary positions. `seqlens_k` + 1 tokens of each example count:
 * S of them new, those before out of the past; in a first pass the past is empty and examples may be padded on the right.
 * Outputs: result, and present keys and values [B, K, T, H], the past's rows and then the new ones (onnxruntime leaves no room
 * between a shorter past and its new row). Rows of padding have other values than in onnxruntime. `position_ids` count for every
 * token, where onnxruntime's kernel for the CPU takes the first one as the place where all examples of a first pass begin.
 */
const groupQueryAttention: Decomposition = (context) => {
  const { node, x, emit } = context;
  const [
    ,
    ,
    ,
    pastKeys = '',
    pastValues = '',
    lengths = '',
    ,
    cosine = '',
    sine = '',
    given = '',
    attentionBias = '',
  ] = x;
  const [sink = ''] = x.slice(11);
  refuseInputsFrom(context, 12, ['k_scale', 'v_scale']);
  if (context.isUsed(3)) throw context.unsupported('its output output_qk is used');
  const heads = intAttribute(node, 'num_heads', 1);
  const keyHeads = intAttribute(node, 'kv_num_heads', heads);

  const parts = projections(context, heads, keyHeads);
  const hasPast = !isEmpty(context, pastKeys);
  const positions = tokenPositions(context, parts.query, lengths, hasPast);
  let { query, keys } = parts;
  if (intAttribute(node, 'do_rotary', 0) !== 0) {
    const at = given === '' ? positions.queries : asLong(context, given);
    const rotation: Rotation = {
      cosine: angles(context, cosine, at, 1),
      sine: angles(context, sine, at, 1),
      isInterleaved: intAttribute(node, 'rotary_interleaved', 0) !== 0,
      width: rotatedWidth(context, cosine, parts.width),
    };
    query = rotate(context, query, rotation);
    keys = rotate(context, keys, rotation);
  }
  const allKeys = hasPast ? emit.concat([pastKeys, keys], 2) : keys;
  const allValues = hasPast ? emit.concat([pastValues, parts.values], 2) : parts.values;
  const window = intAttribute(node, 'local_window_size', -1);
  const mask = emit.unsqueeze(windowBias(context, positions, lengths, hasPast ? pastKeys : '', window), [1]);
  const isSmooth = intAttribute(node, 'smooth_softmax', 0) !== 0;
  const result = scaledProduct(
    context,
    { query, keys: allKeys, values: allValues },
    {
      scale: floatAttribute(node, 'scale', 0),
      softcap: floatAttribute(node, 'softcap', 0),
      biases: attentionBias === '' ? [mask] : [attentionBias, mask],
      groups: headGroups(context, heads, keyHeads),
      width: parts.width,
      sink: sink === '' ? (isSmooth ? emit.float(0) : undefined) : emit.unsqueeze(sink, [1, 2]),
    },
  );
  return [mergeHeads(context, result), allKeys, allValues];
};

/** [B, N, S, H] queries and [B, K, S, H] keys and values. */
function projections(
  context: DecompositionContext,
  heads: number,
  keyHeads: number,
): { query: string; keys: string; values: string; width: number | undefined } {
  const { x, emit } = context;
  const [query = '', key = '', value = ''] = x;
  if (key !== '') {
    return {
      query: splitHeads(context, query, heads),
      keys: splitHeads(context, key, keyHeads),
      values: splitHeads(context, value, keyHeads),
      width: headWidth(context, query, heads),
    };
  }
  const all = heads + 2 * keyHeads;
  const sizes = emit.ints(heads, keyHeads, keyHeads);
  const packed = splitHeads(context, query, all);
  const [q = '', keys = '', values = ''] = emit.node('Split', [packed, sizes], { axis: 1 }, { outputs: 3 });
  return { query: q, keys, values, width: headWidth(context, query, all) };
}

/** How many features of a head are turned: twice the cache's width; 0 where that is known to be all. */
function rotatedWidth(context: DecompositionContext, cosine: string, headExtent: number | undefined): number {
  const half = lastExtent(context.graph, cosine);
  return half === undefined || 2 * half === headExtent ? 0 : 2 * half;
}

/** Past tokens and positions, once for all layers. */
function tokenPositions(
  context: DecompositionContext,
  query: string,
  lengths: string,
  hasPast: boolean,
): Positions {
  const { emit, once } = context;
  const key = `${lengths} ${hasPast}`;
  const offsets = (): string => emit.unsqueeze(places(context, query, 2), [0]);
  if (!hasPast) return { past: undefined, queries: once(`queries ${key}`, offsets) };
  const past = once(`past ${key}`, () => {
    const total = emit.add(emit.reshape(asLong(context, lengths), emit.ints(-1, 1)), emit.ints(1));
    // Below 0 where a first pass is padded.
    return emit.op('Max', [emit.sub(total, emit.extents(query, 2)), emit.ints(0)]);
  });
  return { past, queries: once(`queries ${key}`, () => emit.add(offsets(), past)) };
}

/** Keys up to the query's own position, and at most `window` of them (−1: all); [B or 1, S, T], once for all layers. */
function windowBias(
  context: DecompositionContext,
  { past, queries }: Positions,
  lengths: string,
  pastKeys: string,
  window: number,
): string {
  const { emit, once } = context;
  return once(`window ${lengths} ${past !== undefined} ${window}`, () => {
    const keys =
      past === undefined ? queries : emit.concat([pastPositions(context, past, pastKeys), queries], 1);
    const [rows, columns] = [emit.unsqueeze(queries, [2]), emit.unsqueeze(keys, [1])];
    const isBefore = emit.op('LessOrEqual', [columns, rows]);
    if (window <= 0) return blockedUnless(context, isBefore);
    const isNear = emit.op('Greater', [columns, emit.sub(rows, emit.int(window))]);
    return blockedUnless(context, emit.op('And', [isBefore, isNear]));
  });
}

/** Positions of the past's rows [B, P]; those behind an example's past are nowhere. */
function pastPositions(context: DecompositionContext, past: string, pastKeys: string): string {
  const { emit } = context;
  const rows = emit.unsqueeze(places(context, pastKeys, 2), [0]);
  return emit.op('Where', [emit.op('Less', [rows, past]), rows, emit.int(NOWHERE)]);
}

/** Attention of today's decoders. */
export const groupQueryDecompositions = {
  'com.microsoft.GroupQueryAttention': groupQueryAttention,
} as const satisfies Record<string, Decomposition>;
