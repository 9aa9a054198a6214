import { Emitter } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { DataType, type ModelProto, type Node, type Tensor } from '../graph/types.js';
import { openSession } from '../session/session.js';
import { floatsOf, type TensorValue } from '../session/tensor-value.js';

/** A model without nodes, to build on. */
export function emptyModel(opset = 17): ModelProto {
  return {
    irVersion: 8,
    producer: 'test',
    opsets: new Map([['', opset]]),
    graph: { name: 'test', nodes: [], initializers: [], inputs: [], outputs: [] },
    functions: [],
  };
}

/** A graph made by `build`. */
export function buildGraph(build: (emit: Emitter) => void, opset = 17): Graph {
  const graph = new Graph(emptyModel(opset), 'test model');
  build(new Emitter(graph));
  return graph;
}

/** The bytes of a graph made by `build`. */
export function buildModel(build: (emit: Emitter) => void, opset = 17): Uint8Array {
  return buildGraph(build, opset).serialize();
}

/** Declares a float32 input; a string is a symbolic extent. */
export function floatInput(emit: Emitter, name: string, ...dims: readonly (number | string)[]): string {
  return emit.input({ name, dataType: DataType.float32, dims });
}

/** Declares an int64 input; a string is a symbolic extent. */
export function integerInput(emit: Emitter, name: string, ...dims: readonly (number | string)[]): string {
  return emit.input({ name, dataType: DataType.int64, dims });
}

/** An in-memory tensor of any element type. */
export function tensorOf(
  name: string,
  dataType: number,
  dims: readonly number[],
  values: ArrayBufferView,
): Tensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
  return { name, dataType, dims, data: { kind: 'bytes', bytes } };
}

/** A node with defaults for what is not given. */
export function nodeOf(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Node['attributes'] = new Map(),
): Node {
  return { name: `${opType} ${outputs.join()}`, opType, domain: '', inputs, outputs, attributes };
}

/** Runs a graph once, as it is. */
export async function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, TensorValue>>,
): Promise<Record<string, TensorValue>> {
  const session = await openSession(graph, { optimization: 'disabled', threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** ‖actual − expected‖ / ‖expected‖, the absolute distance where `expected` is zero; infinite for other lengths. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let distance = 0;
  let norm = 0;
  for (let index = 0; index < expected.length; index++) {
    distance += ((actual[index] ?? 0) - (expected[index] ?? 0)) ** 2;
    norm += (expected[index] ?? 0) ** 2;
  }
  return Math.sqrt(distance / (norm === 0 ? 1 : norm));
}

/** Relative distance of two float32 results. */
export function distance(actual: TensorValue | undefined, expected: TensorValue | undefined): number {
  return relativeError(floatsOf(actual), floatsOf(expected));
}
