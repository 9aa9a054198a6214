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

/** Removes casts to the type that a tensor has already; code for half precision is full of them. */
export function dropIdleCasts(graph: Graph): void {
  const types = new Map<string, number>();
  for (const { name, dataType } of graph.initializers.values()) types.set(name, dataType);
  for (const { name, dataType } of graph.inputs.values()) types.set(name, dataType);
  for (const node of graph.sortedNodes()) {
    if (node.domain !== '') continue;
    const type = typeOf(node, types);
    if (type === undefined) continue;
    for (const output of node.outputs) types.set(output, type);
    const [input = ''] = node.inputs;
    if (node.opType === 'Cast' && types.get(input) === type && isReplaceable(graph, node)) {
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
  return KEEPS_TYPE.has(node.opType) ? types.get(first) : undefined;
}

/** Neither a graph output nor a subgraph needs the tensor's name. */
function isReplaceable(graph: Graph, { outputs: [output = ''] }: Node): boolean {
  return !graph.outputs.has(output) && graph.consumers(output).every((node) => node.inputs.includes(output));
}
