import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';

/** The input of a two-input node that is not `tensor`. */
export function otherInput(node: Node, tensor: string): string {
  return (node.inputs[0] === tensor ? node.inputs[1] : node.inputs[0]) ?? '';
}

/** The producer of a tensor if it is a standard operator of this type. */
export function producedBy(graph: Graph, tensor: string | undefined, opType: string): Node | undefined {
  const node = tensor === undefined ? undefined : graph.producer(tensor);
  return node?.opType === opType && node.domain === '' ? node : undefined;
}

/** The only reader of a tensor if it is a standard operator of this type and no graph output. */
export function soleConsumer(graph: Graph, tensor: string | undefined, opType: string): Node | undefined {
  if (tensor === undefined || graph.outputs.has(tensor)) return undefined;
  const readers = graph.consumers(tensor);
  const [reader] = readers;
  return readers.length === 1 && reader?.opType === opType && reader.domain === '' ? reader : undefined;
}

/** Splits the inputs of a node into a scalar constant and the other one. */
export function scalarAndOther(graph: Graph, node: Node): { scalar: number; other: string } | undefined {
  const [a = '', b = ''] = node.inputs;
  const right = graph.scalar(b);
  if (right !== undefined) return { scalar: right, other: a };
  const left = graph.scalar(a);
  return left === undefined ? undefined : { scalar: left, other: b };
}

/** Whether a constant of an export is this number, within the rounding of printed constants and of float16. */
export function isClose(value: number | undefined, target: number): boolean {
  return value !== undefined && Math.abs(value - target) <= 5e-4 * Math.max(1, Math.abs(target));
}

/** Replaces a node by another that makes the same outputs. */
export function replaceNode(graph: Graph, node: Node, replacement: Omit<Node, 'name' | 'outputs'>): Node {
  graph.remove(node);
  return graph.add({ ...replacement, name: node.name, outputs: node.outputs });
}
