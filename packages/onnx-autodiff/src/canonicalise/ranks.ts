import { intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';

/** Operators whose output has the rank of their first input. */
const KEEPS_RANK: ReadonlySet<string> = new Set(
  (
    'Identity Cast Dropout Neg Abs Sqrt Reciprocal Exp Log Erf Tanh Sigmoid Relu Softplus LeakyRelu Sin Cos Sign Floor Ceil ' +
    'Round Not IsNaN IsInf Clip Gelu Softmax LogSoftmax LayerNormalization SimplifiedLayerNormalization CumSum Slice Pad ' +
    'Tile Concat Split Transpose Conv'
  ).split(' '),
);
/** Operators that broadcast all their inputs against each other (ONNX: Multidirectional Broadcasting). */
const BROADCASTS: ReadonlySet<string> = new Set(
  'Add Sub Mul Div Pow Mod Min Max Sum Mean Where Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor MatMul FusedMatMul'.split(
    ' ',
  ),
);

/**
 * Ranks of tensors as far as the graph itself says them, without running it. Enough to see that an axis counted from the
 * front is the last one; the gradient's shapes come from `session/probe.ts`.
 */
export function knownRanks(graph: Graph): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  /** Number of elements of one-dimensional tensors, for shapes that are put together from parts. */
  const lengths = new Map<string, number>();
  for (const [name, { dims }] of graph.initializers) {
    ranks.set(name, dims.length);
    if (dims.length === 1) lengths.set(name, dims[0] ?? 0);
  }
  for (const [name, { dims }] of graph.inputs) if (dims !== undefined) ranks.set(name, dims.length);
  for (const node of graph.sortedNodes()) {
    if (node.domain === 'com.microsoft') contribRanks(node, ranks);
    if (node.domain !== '' && node.opType !== 'FusedMatMul') continue;
    const rank = rankOf(node, graph, ranks, lengths);
    if (rank !== undefined) for (const output of node.outputs) ranks.set(output, rank);
    const length = lengthOf(node, ranks, lengths);
    if (length !== undefined) lengths.set(node.outputs[0] ?? '', length);
  }
  return ranks;
}

function rankOf(
  node: Node,
  graph: Graph,
  ranks: ReadonlyMap<string, number>,
  lengths: ReadonlyMap<string, number>,
): number | undefined {
  const { opType, inputs } = node;
  const [first = '', second = ''] = inputs;
  const rank = ranks.get(first);
  if (opType === 'Transpose') return intsAttribute(node, 'perm')?.length ?? rank;
  if (KEEPS_RANK.has(opType)) return rank;
  if (BROADCASTS.has(opType)) {
    const all = inputs.map((input) => ranks.get(input));
    const known = all.filter((each) => each !== undefined);
    return known.length === all.length ? Math.max(...known) : undefined;
  }
  switch (opType) {
    case 'Shape':
    case 'Range':
      return 1;
    case 'Size':
      return 0;
    case 'Flatten':
    case 'Gemm':
      return 2;
    case 'ConstantOfShape':
      return lengths.get(first);
    case 'Reshape':
      return lengths.get(second);
    case 'Gather': {
      const indices = ranks.get(second);
      return rank === undefined || indices === undefined ? undefined : rank + indices - 1;
    }
  }
  const isReduction = opType.startsWith('Reduce');
  if (isReduction && intAttribute(node, 'keepdims', 1)) return rank;
  if (!isReduction && opType !== 'Unsqueeze' && opType !== 'Squeeze') return undefined;
  const axes = intsAttribute(node, 'axes')?.length ?? graph.constantValues(second)?.length;
  if (rank === undefined || axes === undefined) return undefined;
  return opType === 'Unsqueeze' ? rank + axes : rank - axes;
}

/** Ranks of the outputs of com.microsoft operators (onnxruntime/docs/ContribOperators.md); `first`: that of the first input. */
const CONTRIB_RANKS: Readonly<Record<string, readonly (number | 'first')[]>> = {
  Attention: [3, 5],
  MultiHeadAttention: [3, 4, 4],
  GroupQueryAttention: [3, 4, 4],
  EmbedLayerNormalization: [3, 1, 3],
  SkipLayerNormalization: ['first', 'first', 'first', 'first'],
  SkipSimplifiedLayerNormalization: ['first', 'first', 'first', 'first'],
  RotaryEmbedding: ['first'],
  Gelu: ['first'],
  BiasGelu: ['first'],
  FastGelu: ['first'],
  QuickGelu: ['first'],
  MatMulNBits: ['first'],
  DynamicQuantizeMatMul: ['first'],
};

function contribRanks({ opType, inputs, outputs }: Node, ranks: Map<string, number>): void {
  outputs.forEach((output, index) => {
    const known = CONTRIB_RANKS[opType]?.[index];
    const rank = known === 'first' ? ranks.get(inputs[0] ?? '') : known;
    if (output !== '' && rank !== undefined) ranks.set(output, rank);
  });
}

function lengthOf(
  { opType, inputs }: Node,
  ranks: ReadonlyMap<string, number>,
  lengths: ReadonlyMap<string, number>,
): number | undefined {
  const [first = ''] = inputs;
  if (opType === 'Shape') return ranks.get(first);
  if (opType === 'Cast') return lengths.get(first);
  if (opType === 'Unsqueeze' && ranks.get(first) === 0) return 1;
  if (opType !== 'Concat') return undefined;
  return inputs.reduce<number | undefined>((sum, input) => {
    const length = lengths.get(input);
    return sum === undefined || length === undefined ? undefined : sum + length;
  }, 0);
}
