import {
  DataType,
  Emitter,
  tensorValues,
  type Attribute,
  type Graph,
  type GraphProto,
  type Node,
  type Tensor,
} from '@dynaprompt/onnx-autodiff';
import { halfBits, halfValue } from './half-floats.js';

// Taken out once: jest's sandbox looks up every global slowly, and these run once for every weight.
const { max, min } = Math;

/** Variants of a float16 export. */
export interface HalfOptions {
  /** Graph inputs and outputs in float16 too; by default they stay float32, with casts. */
  readonly halfInterface?: boolean;
}

/** Beyond this, constants such as masks are cut off (onnxconverter_common, float16.py, `max_finite_val`). */
const LARGEST_CONSTANT = 1e4;

/**
 * A graph in float16 throughout, as `convert_float_to_float16` of onnxconverter-common makes it (`model_fp16.onnx`).
 * @param dequantised writes the weights' rounded values in float32 instead.
 */
export function toHalfPrecision(graph: Graph, dequantised: boolean, options: HalfOptions = {}): void {
  for (const tensor of [...graph.initializers.values()])
    graph.initializers.set(tensor.name, dequantised ? rounded(tensor) : halved(tensor));
  if (dequantised) return;
  for (const node of [...graph.nodes]) {
    graph.remove(node);
    graph.add(halvedNode(node));
  }
  const emit = new Emitter(graph);
  for (const [name, info] of graph.inputs) {
    if (info.dataType !== DataType.float32) continue;
    if (options.halfInterface) graph.inputs.set(name, { ...info, dataType: DataType.float16 });
    else {
      const readers = graph.consumers(name);
      const cast = emit.cast(name, DataType.float16);
      for (const reader of readers)
        graph.setInputs(
          reader,
          reader.inputs.map((input) => (input === name ? cast : input)),
        );
    }
  }
  for (const [name, info] of graph.outputs) {
    const producer = graph.producer(name);
    if (info.dataType !== DataType.float32 || !producer) continue;
    if (options.halfInterface) graph.outputs.set(name, { ...info, dataType: DataType.float16 });
    else {
      const inner = graph.fresh('half');
      graph.setOutputs(
        producer,
        producer.outputs.map((output) => (output === name ? inner : output)),
      );
      graph.replaceUses(name, inner);
      graph.add({
        opType: 'Cast',
        domain: '',
        inputs: [inner],
        outputs: [name],
        attributes: new Map([['to', { kind: 'int', value: DataType.float32 }]]),
      });
    }
  }
}

function halved(tensor: Tensor): Tensor {
  if (tensor.dataType !== DataType.float32) return tensor;
  const bits = bitsOf(tensor);
  return {
    ...tensor,
    dataType: DataType.float16,
    data: { kind: 'bytes', bytes: new Uint8Array(bits.buffer) },
  };
}

function rounded(tensor: Tensor): Tensor {
  if (tensor.dataType !== DataType.float32) return tensor;
  const values = new Float32Array(bitsOf(tensor)).map(halfValue);
  return { ...tensor, data: { kind: 'bytes', bytes: new Uint8Array(values.buffer) } };
}

/** The values of a tensor in float16. */
function bitsOf(tensor: Tensor): Uint16Array<ArrayBuffer> {
  const values = tensorValues(tensor);
  const bits = new Uint16Array(values.length);
  // A loop: `from` with a function takes several times as long, for every weight.
  for (let index = 0; index < bits.length; index++) {
    bits[index] = halfBits(max(-LARGEST_CONSTANT, min(LARGEST_CONSTANT, values[index] ?? 0)));
  }
  return bits;
}

function halvedNode(node: Node): Node {
  const attributes = [...node.attributes].map(
    ([name, attribute]) => [name, halvedAttribute(name, attribute)] as const,
  );
  return { ...node, attributes: new Map(attributes) };
}

function halvedAttribute(name: string, attribute: Attribute): Attribute {
  if (attribute.kind === 'tensor') return { kind: 'tensor', value: halved(attribute.value) };
  if (attribute.kind === 'graph') return { kind: 'graph', value: halvedSubgraph(attribute.value) };
  if (attribute.kind === 'int' && name === 'to' && attribute.value === DataType.float32)
    return { kind: 'int', value: DataType.float16 };
  return attribute;
}

function halvedSubgraph(graph: GraphProto): GraphProto {
  const type = (info: GraphProto['inputs'][number]): GraphProto['inputs'][number] =>
    info.dataType === DataType.float32 ? { ...info, dataType: DataType.float16 } : info;
  return {
    ...graph,
    nodes: graph.nodes.map(halvedNode),
    initializers: graph.initializers.map(halved),
    inputs: graph.inputs.map(type),
    outputs: graph.outputs.map(type),
  };
}
