import { attributes } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { byteLength, tensorValues } from '../graph/tensor-data.js';
import {
  DataType,
  type Attribute,
  type GraphProto,
  type Node,
  type Tensor,
  type ValueInfo,
} from '../graph/types.js';

/** float16 and bfloat16. */
export const HALF_PRECISION: ReadonlySet<number> = new Set([DataType.float16, DataType.bfloat16]);
/** Attributes that hold an element type: Cast, EyeLike and Random*, DequantizeLinear, LayerNormalization, Attention. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'to',
  'dtype',
  'output_dtype',
  'stash_type',
  'softmax_precision',
]);
/** Constants up to this many bytes are widened at once, and so are biases, positions and filters up to the second limit. */
const SMALL_BYTES = 1 << 16;
const VECTOR_BYTES = 1 << 22;

/**
 * Brings a graph in half precision, or in mixed precision, to float32 arithmetic: the gradient of a float16 export is that of
 * the model its weights stand for, and needs no loss scaling, since no gradient is ever float16. Weights stay in their file:
 * each becomes a Cast of what is stored there, which onnxruntime folds at load; of an embedding table only the rows that were
 * looked up are widened. Casts to half precision become casts to float32, inputs and outputs of the graph become float32.
 */
export function widenHalfPrecision(graph: Graph): void {
  for (const tensor of [...graph.initializers.values()])
    if (HALF_PRECISION.has(tensor.dataType)) widenInitializer(graph, tensor);
  for (const [name, info] of graph.inputs) graph.inputs.set(name, widenedInfo(info));
  for (const [name, info] of graph.outputs) graph.outputs.set(name, widenedInfo(info));
  for (const node of [...graph.nodes]) {
    const widened = widenedNode(node);
    if (widened === node) continue;
    graph.remove(node);
    graph.add(widened);
  }
}

/** Under its own name a tensor is float32 afterwards, whoever reads it; what is stored gets another name. */
function widenInitializer(graph: Graph, tensor: Tensor): void {
  const bytes = byteLength(tensor.dataType, tensor.dims) ?? 0;
  graph.initializers.delete(tensor.name);
  if (bytes <= SMALL_BYTES || (tensor.dims.length !== 2 && bytes <= VECTOR_BYTES)) {
    graph.initializers.set(tensor.name, widenedTensor(tensor));
    return;
  }
  const stored = graph.fresh('stored');
  graph.initializers.set(stored, { ...tensor, name: stored });
  const readers = graph.consumers(tensor.name);
  const lookups = readers.filter((node) => isLookup(node, tensor.name));
  for (const lookup of lookups) {
    const [output = ''] = lookup.outputs;
    const rows = graph.fresh('rows');
    graph.setInputs(lookup, [stored, ...lookup.inputs.slice(1)]);
    graph.setOutputs(lookup, [rows]);
    addCast(graph, rows, output);
  }
  if (lookups.length < readers.length || graph.outputs.has(tensor.name)) addCast(graph, stored, tensor.name);
}

function isLookup(node: Node, table: string): boolean {
  return node.opType === 'Gather' && node.domain === '' && node.inputs[0] === table;
}

function addCast(graph: Graph, from: string, to: string): void {
  graph.add({
    opType: 'Cast',
    domain: '',
    inputs: [from],
    outputs: [to],
    attributes: attributes({ to: DataType.float32 }),
  });
}

function widenedTensor(tensor: Tensor): Tensor {
  const values = Float32Array.from(tensorValues(tensor));
  const bytes = new Uint8Array(values.buffer);
  return { ...tensor, dataType: DataType.float32, data: { kind: 'bytes', bytes } };
}

function widenedInfo(info: ValueInfo): ValueInfo {
  return HALF_PRECISION.has(info.dataType) ? { ...info, dataType: DataType.float32 } : info;
}

/** A node that computes in float32; the node itself where nothing changes. */
function widenedNode(node: Node): Node {
  const changed = [...node.attributes].flatMap(([name, attribute]): [string, Attribute][] => {
    const widened = widenedAttribute(name, attribute);
    return widened === attribute ? [] : [[name, widened]];
  });
  return changed.length === 0 ? node : { ...node, attributes: new Map([...node.attributes, ...changed]) };
}

function widenedAttribute(name: string, attribute: Attribute): Attribute {
  switch (attribute.kind) {
    case 'int':
      return TYPE_ATTRIBUTES.has(name) && HALF_PRECISION.has(attribute.value)
        ? { kind: 'int', value: DataType.float32 }
        : attribute;
    case 'tensor':
      return HALF_PRECISION.has(attribute.value.dataType)
        ? { kind: 'tensor', value: widenedTensor(attribute.value) }
        : attribute;
    case 'graph':
      return { kind: 'graph', value: widenedSubgraph(attribute.value) };
    case 'graphs':
      return { kind: 'graphs', value: attribute.value.map(widenedSubgraph) };
    default:
      return attribute;
  }
}

function widenedSubgraph(graph: GraphProto): GraphProto {
  return {
    name: graph.name,
    nodes: graph.nodes.map(widenedNode),
    initializers: graph.initializers.map((tensor) =>
      HALF_PRECISION.has(tensor.dataType) ? widenedTensor(tensor) : tensor,
    ),
    inputs: graph.inputs.map(widenedInfo),
    outputs: graph.outputs.map(widenedInfo),
  };
}
