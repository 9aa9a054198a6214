import { intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';

/** Operators whose outputs have the element type of their first input. */
const KEEPS_TYPE: ReadonlySet<string> = new Set(
  (
    'Identity Reshape Flatten Transpose Squeeze Unsqueeze Expand Concat Split Slice Gather GatherElements GatherND Pad Tile ' +
    'Add Sub Mul Div Pow Max Min Sum Neg Abs Sqrt Reciprocal Exp Log Erf Tanh Sigmoid Relu Sin Cos Clip Softmax LogSoftmax ' +
    'MatMul Gemm Conv ReduceMean ReduceSum ReduceMax ReduceMin'
  ).split(' '),
);

/** Operators whose outputs are truth values. */
const TELLS_TRUTH: ReadonlySet<string> = new Set(
  'Not And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual IsNaN IsInf'.split(' '),
);

/** Element types of tensors as far as the graph itself says them. */
export function knownTypes(graph: Graph): ReadonlyMap<string, number> {
  const types = new Map<string, number>();
  for (const { name, dataType } of graph.initializers.values()) types.set(name, dataType);
  for (const { name, dataType } of graph.inputs.values()) types.set(name, dataType);
  for (const node of graph.sortedNodes()) {
    const type = node.domain === '' ? typeOf(node, types) : undefined;
    if (type !== undefined) for (const output of node.outputs) types.set(output, type);
  }
  return types;
}

/** Removes casts to the type that a tensor has already; code for half precision is full of them. */
export function dropIdleCasts(graph: Graph): void {
  const types = knownTypes(graph);
  for (const node of graph.sortedNodes()) {
    const [input = ''] = node.inputs;
    if (node.domain !== '' || node.opType !== 'Cast') continue;
    if (types.get(input) === intAttribute(node, 'to', 0) && isReplaceable(graph, node)) {
      graph.replaceUses(node.outputs[0] ?? '', input);
      graph.remove(node);
    }
  }
}

function typeOf(node: Node, types: ReadonlyMap<string, number>): number | undefined {
  const [first = '', second = ''] = node.inputs;
  if (node.opType === 'Cast') return intAttribute(node, 'to', 0);
  if (node.opType === 'Shape') return DataType.int64;
  if (node.opType === 'Where') return types.get(second);
  if (TELLS_TRUTH.has(node.opType)) return DataType.bool;
  return KEEPS_TYPE.has(node.opType) ? types.get(first) : undefined;
}

/** Neither a graph output nor a subgraph needs the tensor's name. */
function isReplaceable(graph: Graph, { outputs: [output = ''] }: Node): boolean {
  return !graph.outputs.has(output) && graph.consumers(output).every((node) => node.inputs.includes(output));
}
