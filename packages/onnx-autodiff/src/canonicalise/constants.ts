import { DataType, type Node, type Tensor } from '../graph/types.js';
import type { Graph } from '../graph/graph.js';
import { int64Array } from '../graph/integers.js';

/** Turns `Constant` nodes into initialisers and removes `Identity` nodes that nothing outside needs. */
export function liftConstants(graph: Graph): void {
  for (const node of [...graph.nodes]) {
    const [output = ''] = node.outputs;
    if (node.opType === 'Constant' && node.domain === '') {
      const tensor = constantTensor(node, output);
      if (!tensor) continue;
      graph.remove(node);
      graph.initializers.set(output, tensor);
    } else if (node.opType === 'Identity' && node.domain === '') {
      const [input = ''] = node.inputs;
      if (graph.outputs.has(output) || isReadBySubgraph(graph, output)) continue;
      graph.replaceUses(output, input);
      graph.remove(node);
    }
  }
}

function isReadBySubgraph(graph: Graph, tensor: string): boolean {
  return graph.consumers(tensor).some((node) => !node.inputs.includes(tensor));
}

function constantTensor(node: Node, name: string): Tensor | undefined {
  const [entry] = node.attributes;
  if (!entry) return undefined;
  const [kind, attribute] = entry;
  const make = (dataType: number, dims: readonly number[], values: ArrayBufferView): Tensor => ({
    name,
    dataType,
    dims,
    data: { kind: 'bytes', bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) },
  });
  if (kind === 'value' && attribute.kind === 'tensor') return { ...attribute.value, name };
  if (kind === 'value_float' && attribute.kind === 'float')
    return make(DataType.float32, [], Float32Array.of(attribute.value));
  if (kind === 'value_int' && attribute.kind === 'int')
    return make(DataType.int64, [], int64Array([attribute.value]));
  if (kind === 'value_floats' && attribute.kind === 'floats')
    return make(DataType.float32, [attribute.value.length], Float32Array.from(attribute.value));
  if (kind === 'value_ints' && attribute.kind === 'ints')
    return make(DataType.int64, [attribute.value.length], int64Array(attribute.value));
  return undefined;
}
