import { floatAttribute, intAttribute } from '../graph/emitter.js';
import { DataType } from '../graph/types.js';
import { refuseInputsFrom, type Decomposition, type DecompositionContext } from './decomposition.js';
import { blockedUnless, causalBias, isEmpty } from './mask.js';
import {
  headGroups,
  headWidth,
  mergeHeads,
  scaledProduct,
  splitHeads,
  type HeadGroups,
} from './scaled-product.js';

/**
 * Attention (onnx/docs/Operators.md, since 23): Q, K, V [B, N, S, H] or [B, S, N · H]; a mask of truth values or numbers, broadcast
 * to [B, N, S, T]; heads that share keys; a soft cap, under the mask as in onnxruntime. Outputs: result in the form of Q, and present keys and values.
 */
const attention: Decomposition = (context) => {
  const { node, x, emit, ranks, types } = context;
  const [first = '', second = '', third = '', mask = '', pastKeys = '', pastValues = ''] = x;
  refuseInputsFrom(context, 6, ['nonpad_kv_seqlen']);
  if (context.isUsed(3)) throw context.unsupported('its output qk_matmul_output is used');
  const heads = intAttribute(node, 'q_num_heads', 0);
  const keyHeads = intAttribute(node, 'kv_num_heads', heads);
  const rank = ranks.get(first) ?? (heads > 0 ? 3 : undefined);
  if (rank === undefined) throw context.unsupported('the rank of its query is not known');
  const maskType = types.get(mask);
  if (mask !== '' && maskType === undefined)
    throw context.unsupported('the element type of its mask is not known');
  const isFlat = rank === 3;
  const split = (tensor: string, count: number): string =>
    isFlat ? splitHeads(context, tensor, count) : tensor;
  const query = split(first, heads);
  const hasPast = !isEmpty(context, pastKeys);
  const newKeys = split(second, keyHeads);
  const newValues = split(third, keyHeads);
  const keys = hasPast ? emit.concat([pastKeys, newKeys], 2) : newKeys;
  const values = hasPast ? emit.concat([pastValues, newValues], 2) : newValues;
  const biases: string[] = [];
  if (mask !== '') biases.push(maskType === DataType.bool ? blockedUnless(context, mask) : mask);
  if (intAttribute(node, 'is_causal', 0) !== 0)
    biases.push(causalBias(context, query, keys, hasPast ? pastKeys : ''));
  const result = scaledProduct(
    context,
    { query, keys, values },
    {
      scale: floatAttribute(node, 'scale', 0),
      biases,
      softcap: floatAttribute(node, 'softcap', 0),
      groups: isFlat ? headGroups(context, heads, keyHeads) : computedGroups(context, query, keys),
      width: headWidth(context, first, isFlat ? heads : 1),
    },
  );
  return [isFlat ? mergeHeads(context, result) : result, keys, values];
};

/** Groups of heads whose numbers the graph knows when it runs. */
function computedGroups(
  { emit, graph }: DecompositionContext,
  query: string,
  keys: string,
): HeadGroups | undefined {
  const [heads, keyHeads] = [query, keys].map((tensor) => graph.inputs.get(tensor)?.dims?.[1]);
  if (typeof heads === 'number' && heads === keyHeads) return undefined;
  const shape = (tensor: string): string =>
    emit.concat([emit.ints(0), emit.extents(tensor, 1), emit.ints(-1, 0)], 0);
  return { folded: shape(keys), apart: shape(query) };
}

/** Attention of the standard domain. */
export const standardAttentionDecompositions = { Attention: attention } as const satisfies Record<
  string,
  Decomposition
>;
