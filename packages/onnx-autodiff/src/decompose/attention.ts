import { floatAttribute, intAttribute, intsAttribute } from '../graph/emitter.js';
import { refuseInputsFrom, type Decomposition, type DecompositionContext } from './decomposition.js';
import { causalBias, isEmpty, joinedBiases, paddingBias } from './mask.js';
import { mergeHeads, scaledProduct, splitHeads, headWidth } from './scaled-product.js';

/** What onnxruntime adds to the score of a key that does not count. */
const FILTER = -10000;

/**
 * com.microsoft.Attention (onnxruntime/docs/ContribOperators.md, attention_cpu_base.h): Q, K, V from one product with packed
 * weights [D, 3D], softmax(scale · Q Kᵀ + attention_bias + masks) V, heads side by side. Outputs: result [B, S, D], and present
 * [2, B, N, T, H], past and new keys and values in a row.
 */
const attention: Decomposition = (context) => {
  const { node, emit, isUsed } = context;
  const [input = '', weights = '', bias = '', mask = '', past = '', attentionBias = ''] = context.x;
  refuseInputsFrom(context, 6, ['past_sequence_length']);
  for (const name of ['do_rotary', 'past_present_share_buffer'])
    if (intAttribute(node, name, 0) !== 0) throw context.unsupported(`its attribute ${name} is set`);
  const heads = intAttribute(node, 'num_heads', 1);
  const filter = floatAttribute(node, 'mask_filter_value', FILTER);

  const product = emit.op('MatMul', [input, weights]);
  const packed = bias === '' ? product : emit.add(product, bias);
  const sizes = packedSizes(context, weights);
  const parts = emit.node('Split', [packed, sizes.tensor], { axis: -1 }, { outputs: 3 });
  const [query = '', newKeys = '', newValues = ''] = parts.map((part) => splitHeads(context, part, heads));
  const hasPast = !isEmpty(context, past);
  const before = hasPast ? pastParts(context, past) : undefined;
  const keys = before ? emit.concat([before.keys, newKeys], 2) : newKeys;
  const values = before ? emit.concat([before.values, newValues], 2) : newValues;
  const masks: string[] = [];
  if (mask !== '') masks.push(paddingBias(context, mask, keys, filter, true));
  if (intAttribute(node, 'unidirectional', 0) !== 0)
    masks.push(causalBias(context, query, keys, before?.keys ?? ''));

  const result = scaledProduct(
    context,
    { query, keys, values },
    {
      scale: floatAttribute(node, 'scale', 0),
      biases: [...(attentionBias === '' ? [] : [attentionBias]), ...joinedBiases(context, masks)],
      width: sizes.query === undefined ? headWidth(context, weights, 3 * heads) : sizes.query / heads,
    },
  );
  const present = (): string => emit.concat([emit.unsqueeze(keys, [0]), emit.unsqueeze(values, [0])], 0);
  return [mergeHeads(context, result), isUsed(1) ? present() : undefined];
};

/** Widths of Q, K and V in the packed weights, as a tensor; that of Q as a number where it is given. */
function packedSizes(
  { node, graph, emit }: DecompositionContext,
  weights: string,
): { tensor: string; query: number | undefined } {
  const given = intsAttribute(node, 'qkv_hidden_sizes');
  if (given?.length === 3) return { tensor: emit.ints(...given), query: given[0] };
  const total = graph.initializers.get(weights)?.dims[1];
  if (total !== undefined) return { tensor: emit.ints(total / 3, total / 3, total / 3), query: total / 3 };
  const third = emit.div(emit.extents(weights, 1), emit.ints(3));
  return { tensor: emit.concat([third, third, third], 0), query: undefined };
}

/** Keys and values [B, N, P, H] out of a past [2, B, N, P, H]. */
function pastParts({ emit }: DecompositionContext, past: string): { keys: string; values: string } {
  const part = (index: number): string => emit.op('Gather', [past, emit.int(index)], { axis: 0 });
  return { keys: part(0), values: part(1) };
}

/**
 * com.microsoft.MultiHeadAttention (onnxruntime/docs/ContribOperators.md, multihead_attention.cc): Q, K, V apart [B, S, N · H], or
 * packed as [B, S, N, 3, H] or [B, T, N, 2, H], or keys and values with heads in front [B, N, T, H]. Outputs: result, present
 * keys and values [B, N, T, H].
 */
const multiHeadAttention: Decomposition = (context) => {
  const { node, emit } = context;
  const [, , , , mask = '', attentionBias = '', pastKeys = '', pastValues = ''] = context.x;
  refuseInputsFrom(context, 8, ['past_sequence_length', 'cache_indirection']);
  if (context.isUsed(3)) throw context.unsupported('its output qk is used');
  const heads = intAttribute(node, 'num_heads', 1);
  const { query, newKeys, newValues, width } = projections(context, heads);
  const hasPast = !isEmpty(context, pastKeys);
  const keys = hasPast ? emit.concat([pastKeys, newKeys], 2) : newKeys;
  const values = hasPast ? emit.concat([pastValues, newValues], 2) : newValues;
  const masks: string[] = [];
  const filter = floatAttribute(node, 'mask_filter_value', FILTER);
  if (mask !== '') masks.push(paddingBias(context, mask, keys, filter, false));
  if (intAttribute(node, 'unidirectional', 0) !== 0)
    masks.push(causalBias(context, query, keys, hasPast ? pastKeys : ''));
  const result = scaledProduct(
    context,
    { query, keys, values },
    {
      scale: floatAttribute(node, 'scale', 0),
      biases: [...(attentionBias === '' ? [] : [attentionBias]), ...joinedBiases(context, masks)],
      width,
    },
  );
  return [mergeHeads(context, result), keys, values];
};

interface Projections {
  /** [B, N, S, H] */
  readonly query: string;
  readonly newKeys: string;
  readonly newValues: string;
  readonly width: number | undefined;
}

/** Queries, keys and values in whatever form they come, with their biases [D + D + D_v] added. */
function projections(context: DecompositionContext, heads: number): Projections {
  const { x, emit, ranks } = context;
  const [query = '', key = '', value = '', bias = ''] = x;
  const queryRank = ranks.get(query);
  const keyRank = ranks.get(key);
  if (queryRank === undefined || (key !== '' && keyRank === undefined))
    throw context.unsupported('the rank of its query or key is not known');
  if (bias !== '' && (queryRank === 5 || (keyRank !== 3 && key !== '')))
    throw context.unsupported('a bias comes with packed or transposed keys');

  // [B, T, N, parts, H] → one part [B, N, T, H]
  const part = (packed: string, index: number): string =>
    emit.transpose(emit.op('Gather', [packed, emit.int(index)], { axis: 3 }), [0, 2, 1, 3]);
  if (key === '') {
    if (queryRank !== 5) throw context.unsupported('its key is missing');
    const [q, k, v] = [part(query, 0), part(query, 1), part(query, 2)] as const;
    return { query: q, newKeys: k, newValues: v, width: headWidth(context, query, 1) };
  }
  const biases = bias === '' ? [] : splitBias(context, bias, query);
  const split = (tensor: string, index: number): string => {
    const own = biases[index];
    return splitHeads(context, own === undefined ? tensor : emit.add(tensor, own), heads);
  };
  const common = { query: split(query, 0), width: headWidth(context, query, heads) };
  if (keyRank === 5) return { ...common, newKeys: part(key, 0), newValues: part(key, 1) };
  if (keyRank === 4) return { ...common, newKeys: key, newValues: value };
  return { ...common, newKeys: split(key, 1), newValues: split(value, 2) };
}

/** Biases of Q, K and V out of [D + D + D_v]. */
function splitBias({ emit }: DecompositionContext, bias: string, query: string): readonly string[] {
  const width = emit.extents(query, 2);
  const twice = emit.mul(width, emit.ints(2));
  const rest = emit.sub(emit.shape(bias), twice);
  return emit.node('Split', [bias, emit.concat([width, width, rest], 0)], { axis: 0 }, { outputs: 3 });
}

/** Attention of the encoders and decoders that onnxruntime's optimiser fuses. */
export const attentionDecompositions = {
  'com.microsoft.Attention': attention,
  'com.microsoft.MultiHeadAttention': multiHeadAttention,
} as const satisfies Record<string, Decomposition>;
