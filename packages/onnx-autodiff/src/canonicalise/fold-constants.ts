import type { Graph } from '../graph/graph.js';
import { int64Array } from '../graph/integers.js';
import { elementCount, tensorValues } from '../graph/tensor-data.js';
import { DataType, type Node, type Tensor } from '../graph/types.js';
import { constantOperators, isComputable, MAXIMUM_ELEMENTS, type Values } from './constant-operators.js';

/** Numbers are folded as scalars only: what is larger may be a weight, of which a caller asks for the gradient by name. */
const MAXIMUM_FLOATS = 1;
/** Elements read and written in one graph, which bounds the time that a hostile one takes. */
const BUDGET = 1 << 22;

/**
 * Computes small nodes whose inputs are all constant, so that what looks at a graph sees positions, shapes and conditions as
 * constants. Weights are neither read nor folded.
 * @param variables constants that a gradient will be taken of.
 * @returns how many nodes became constants.
 */
export function foldConstants(graph: Graph, variables: ReadonlySet<string> = new Set()): number {
  let count = 0;
  let left = BUDGET;
  for (const node of graph.sortedNodes()) {
    if (left <= 0) break;
    const [output = ''] = node.outputs;
    const operator = node.domain === '' ? constantOperators[node.opType] : undefined;
    if (!operator || node.outputs.length !== 1 || graph.outputs.has(output)) continue;
    if (node.inputs.some((input) => variables.has(input))) continue;
    const inputs = constantInputs(graph, node);
    const result = inputs && operator(inputs, node);
    for (const values of [...(inputs ?? []), result]) left -= values?.data.length ?? 0;
    if (!result || !isSound(result) || !isSmall(result.dataType, elementCount(result.dims))) continue;
    graph.remove(node);
    graph.initializers.set(output, toTensor(output, result));
    count++;
  }
  return count;
}

/** Values of a node's inputs; undefined if one is not constant or too large. */
function constantInputs(graph: Graph, { opType, inputs }: Node): (Values | undefined)[] | undefined {
  const values: (Values | undefined)[] = [];
  for (const input of inputs) {
    const tensor = graph.initializers.get(input);
    if (input !== '' && !tensor) return undefined;
    if (!tensor) values.push(undefined);
    else if (opType === 'Shape' || opType === 'Size') values.push({ ...tensor, data: [] });
    else if (isSmall(tensor.dataType, elementCount(tensor.dims)))
      values.push({ dims: tensor.dims, dataType: tensor.dataType, data: Array.from(tensorValues(tensor)) });
    else return undefined;
  }
  return inputs.length === 0 ? undefined : values;
}

/** Operators of a hostile graph make extents and whole numbers that are none. */
function isSound({ dims, dataType, data }: Values): boolean {
  return isComputable(dims) && (dataType === DataType.float32 || data.every(Number.isInteger));
}

function isSmall(dataType: number, count: number): boolean {
  const whole: readonly number[] = [DataType.int64, DataType.int32, DataType.bool];
  if (dataType === DataType.float32) return count <= MAXIMUM_FLOATS;
  return whole.includes(dataType) && count <= MAXIMUM_ELEMENTS;
}

function toTensor(name: string, { dims, dataType, data }: Values): Tensor {
  const values = typedArray(dataType, data);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims, dataType, data: { kind: 'bytes', bytes } };
}

function typedArray(dataType: number, data: readonly number[]): ArrayBufferView {
  if (dataType === DataType.float32) return Float32Array.from(data);
  if (dataType === DataType.int32) return Int32Array.from(data);
  return dataType === DataType.bool ? Uint8Array.from(data) : int64Array(data);
}
