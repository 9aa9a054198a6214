import { intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';

/** Arithmetic on float scalars that exporters leave in the graph: scales made from a head's width. */
const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  Identity: (a) => a,
  Sqrt: Math.sqrt,
  Reciprocal: (a) => 1 / a,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/** How far back to look, which bounds the time too: a scale's own chain has 6 nodes, rotated queries 8. */
const DEEPEST = 10;

/** Value of a float tensor of one element that is the same for all inputs, as far as the graph says it. */
export function constantScalar(graph: Graph, tensor: string, depth = 0): number | undefined {
  const constant = graph.initializers.get(tensor);
  if (constant) return constant.dataType === DataType.float32 ? graph.scalar(tensor) : undefined;
  const node = graph.producer(tensor);
  if (node?.domain !== '' || depth > DEEPEST) return undefined;
  if (node.opType === 'Cast') {
    const [input = ''] = node.inputs;
    const isFloat = intAttribute(node, 'to', 0) === DataType.float32;
    return isFloat ? (readExtent(graph, input) ?? constantScalar(graph, input, depth + 1)) : undefined;
  }
  const compute = ARITHMETIC[node.opType];
  if (!compute || node.inputs.length > 2) return undefined;
  const values: number[] = [];
  for (const input of node.inputs) {
    const value = constantScalar(graph, input, depth + 1);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return compute(values[0] ?? Number.NaN, values[1] ?? Number.NaN);
}

/** Value of an element that is read from a tensor's shape. */
function readExtent(graph: Graph, tensor: string): number | undefined {
  const node = graph.producer(tensor);
  const shape = graph.producer(node?.inputs[0] ?? '');
  const axis =
    node && shape?.opType === 'Shape' && shape.attributes.size === 0 ? readAxis(graph, node) : undefined;
  return axis === undefined ? undefined : lastExtent(graph, shape?.inputs[0] ?? '', axis);
}

/** Which one element of a shape a node reads, counted from the end (−1 is the last). */
function readAxis(graph: Graph, { opType, inputs }: Node): number | undefined {
  const [start, end] = [graph.scalar(inputs[1]), graph.scalar(inputs[2])];
  if (start === undefined || start >= 0) return undefined;
  if (opType === 'Gather') return start;
  const isOne = end === start + 1 || (start === -1 && end !== undefined && end > 2 ** 30);
  return opType === 'Slice' && isOne ? start : undefined;
}

/** Extent of an axis counted from the end, where reshapes to constants say it. */
function lastExtent(graph: Graph, tensor: string, axis: number, depth = 0): number | undefined {
  const constant = graph.initializers.get(tensor);
  if (constant) return constant.dims.at(axis);
  const node = depth > DEEPEST ? undefined : graph.producer(tensor);
  switch (node?.opType) {
    case 'Reshape':
      return shapeEntry(graph, node.inputs[1] ?? '', axis);
    case 'Transpose': {
      const perm = intsAttribute(node, 'perm');
      const from = perm?.at(axis);
      return perm && from !== undefined
        ? lastExtent(graph, node.inputs[0] ?? '', from - perm.length, depth + 1)
        : undefined;
    }
    case 'Cast':
    case 'LayerNormalization':
    case 'SimplifiedLayerNormalization':
      return lastExtent(graph, node.inputs[0] ?? '', axis, depth + 1);
    case 'Add':
    case 'Mul':
      // Broadcast operands have this extent or 1.
      for (const input of node.inputs) {
        const extent = lastExtent(graph, input, axis, depth + 1);
        if (extent !== undefined && extent > 1) return extent;
      }
      return undefined;
    default:
      return undefined;
  }
}

/** Entry of a reshape's target, counted from the end; undefined where it is copied or inferred. */
function shapeEntry(graph: Graph, shape: string, axis: number): number | undefined {
  const parts = graph.producer(shape)?.opType === 'Concat' ? (graph.producer(shape)?.inputs ?? []) : [shape];
  const entries: (number | undefined)[] = [];
  for (const part of [...parts].reverse()) {
    entries.unshift(...(graph.constantValues(part) ?? [undefined]));
    // A part that is not constant may have several entries: nothing is known before it.
    if (entries.length >= -axis || !graph.isConstant(part)) break;
  }
  const entry = entries.at(axis);
  return entry !== undefined && entry > 0 ? entry : undefined;
}

/** A tensor without a constant factor, and the factor. */
export function withoutScale(graph: Graph, tensor: string): { tensor: string; scale: number } {
  const node = graph.producer(tensor);
  const [a = '', b = ''] = node?.inputs ?? [];
  if (node?.domain === '' && (node.opType === 'Mul' || node.opType === 'Div')) {
    const right = constantScalar(graph, b);
    if (right !== undefined) return { tensor: a, scale: node.opType === 'Mul' ? right : 1 / right };
    const left = node.opType === 'Mul' ? constantScalar(graph, a) : undefined;
    if (left !== undefined) return { tensor: b, scale: left };
  }
  return { tensor, scale: 1 };
}
