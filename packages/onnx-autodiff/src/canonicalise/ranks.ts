import { intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { MAXIMUM_RANK } from '../graph/tensor-data.js';
import type { Node } from '../graph/types.js';

/** Operators whose output has the rank of their first input. */
const KEEPS_RANK: ReadonlySet<string> = new Set(
  (
    'Identity Cast Dropout Neg Abs Sqrt Reciprocal Exp Log Erf Tanh Sigmoid Relu Softplus LeakyRelu Sin Cos Sign Floor Ceil ' +
    'Round Not IsNaN IsInf Clip Gelu Softmax LogSoftmax LayerNormalization SimplifiedLayerNormalization CumSum Slice Pad ' +
    'Tile Concat Split Transpose Conv ConvInteger Trilu GatherElements ScatterND ScatterElements QuantizeLinear ' +
    'DequantizeLinear RMSNormalization GroupNormalization InstanceNormalization BatchNormalization RotaryEmbedding ' +
    'HardSigmoid HardSwish Swish Mish Elu Selu Celu ThresholdedRelu Softsign'
  ).split(' '),
);
/** Operators that broadcast all their inputs against each other (ONNX: Multidirectional Broadcasting). */
const BROADCASTS: ReadonlySet<string> = new Set(
  (
    'Add Sub Mul Div Pow Mod Min Max Sum Mean Where Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor PRelu MatMul ' +
    'MatMulInteger FusedMatMul'
  ).split(' '),
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
    if (setOutputRanks(node, ranks) || (node.domain !== '' && node.opType !== 'FusedMatMul')) continue;
    const rank = rankOf(node, graph, ranks, lengths);
    const isRank = rank !== undefined && rank >= 0 && rank <= MAXIMUM_RANK;
    if (isRank) for (const output of node.outputs) ranks.set(output, rank);
    const length = lengthOf(node, graph, ranks, lengths);
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
    case 'Expand': {
      const length = lengths.get(second);
      return rank === undefined || length === undefined ? undefined : Math.max(rank, length);
    }
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

/** Operators whose outputs differ in rank, and those of com.microsoft (onnxruntime/docs/ContribOperators.md); `first`: as x. */
const OUTPUT_RANKS: Readonly<Record<string, readonly (number | 'first')[]>> = {
  Attention: ['first', 4, 4, 4],
  DynamicQuantizeLinear: ['first', 0, 0],
  'com.microsoft.Attention': [3, 5],
  'com.microsoft.MultiHeadAttention': [3, 4, 4],
  'com.microsoft.GroupQueryAttention': [3, 4, 4],
  'com.microsoft.EmbedLayerNormalization': [3, 1, 3],
  'com.microsoft.SkipLayerNormalization': ['first', 'first', 'first', 'first'],
  'com.microsoft.SkipSimplifiedLayerNormalization': ['first', 'first', 'first', 'first'],
  'com.microsoft.RotaryEmbedding': ['first'],
  'com.microsoft.Gelu': ['first'],
  'com.microsoft.BiasGelu': ['first'],
  'com.microsoft.FastGelu': ['first'],
  'com.microsoft.QuickGelu': ['first'],
  'com.microsoft.FusedGemm': [2],
  'com.microsoft.MatMulNBits': ['first'],
  'com.microsoft.MatMulBnb4': ['first'],
  'com.microsoft.DynamicQuantizeMatMul': ['first'],
  'com.microsoft.MatMulIntegerToFloat': ['first'],
};

function setOutputRanks({ domain, opType, inputs, outputs }: Node, ranks: Map<string, number>): boolean {
  const known = OUTPUT_RANKS[domain === '' ? opType : `${domain}.${opType}`];
  outputs.forEach((output, index) => {
    const rank = known?.[index] === 'first' ? ranks.get(inputs[0] ?? '') : known?.[index];
    if (output !== '' && typeof rank === 'number') ranks.set(output, rank);
  });
  return known !== undefined;
}

function lengthOf(
  node: Node,
  graph: Graph,
  ranks: ReadonlyMap<string, number>,
  lengths: ReadonlyMap<string, number>,
): number | undefined {
  const { opType, inputs } = node;
  const [first = '', second = '', third = ''] = inputs;
  const length = lengths.get(first);
  const all = inputs.map((input) => (ranks.get(input) === 0 ? 1 : lengths.get(input)));
  const known = all.filter((each) => each !== undefined);
  if (opType === 'Shape' && node.attributes.size === 0) return ranks.get(first);
  if (opType === 'Cast') return length;
  if (opType === 'Unsqueeze' && ranks.get(first) === 0) return 1;
  if (opType === 'Gather' && ranks.get(first) === 1) return lengths.get(second);
  if (opType === 'Slice' && length !== undefined && inputs.length < 5) {
    const [start, end] = [graph.scalar(second), graph.scalar(third)];
    return start === undefined || end === undefined ? undefined : sliceLength(length, start, end);
  }
  if (opType === 'Concat' && known.length === all.length) return known.reduce((sum, each) => sum + each, 0);
  const isVector =
    BROADCASTS.has(opType) && !opType.includes('MatMul') && ranks.get(node.outputs[0] ?? '') === 1;
  return isVector && known.length === all.length ? Math.max(...known) : undefined;
}

function sliceLength(length: number, start: number, end: number): number {
  const place = (bound: number): number => Math.min(length, Math.max(0, bound < 0 ? bound + length : bound));
  return Math.max(0, place(end) - place(start));
}
