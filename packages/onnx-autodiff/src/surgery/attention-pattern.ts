import { activeTensors } from '../activity.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';

/** Operators between the softmax and the product with the values. */
const PASSES_WEIGHTS: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Reshape', 'Where', 'Dropout']);

/** A place where rows are attended. */
export interface Attention {
  readonly softmax: Node;
  /** The queries come from the same rows as the keys: no cross-attention, no pooling by a query of the head's own. */
  readonly isSelf: boolean;
}

/** The attention softmaxes whose keys are rows of `embeddings` [B, T, d], in the order of the graph. */
export function attentionTo(graph: Graph, embeddings: string): readonly Attention[] {
  const rows = tensorsOfRows(graph, embeddings);
  return graph
    .sortedNodes()
    .filter((node) => node.opType === 'Softmax' && weightsValues(graph, node))
    .flatMap((softmax) => {
      const products = scoreProducts(graph, softmax).filter(({ inputs }) => rows.has(inputs[1] ?? ''));
      const isSelf = products.some(({ inputs }) => rows.has(inputs[0] ?? ''));
      return products.length === 0 ? [] : [{ softmax, isSelf }];
    });
}

/** Whether a node's result weights values: it is the left operand of a product. */
function weightsValues(graph: Graph, softmax: Node): boolean {
  const tensors = [...softmax.outputs];
  for (const tensor of tensors) {
    for (const reader of graph.consumers(tensor)) {
      if (isProduct(reader) && reader.inputs[0] === tensor) return true;
      if (PASSES_WEIGHTS.has(reader.opType)) tensors.push(...reader.outputs);
    }
  }
  return false;
}

/** The products that scores are made of: queries on the left, keys on the right. */
function scoreProducts(graph: Graph, softmax: Node): readonly Node[] {
  const products: Node[] = [];
  const tensors = new Set([softmax.inputs[0] ?? '']);
  for (const tensor of tensors) {
    const node = graph.producer(tensor);
    if (node && isProduct(node)) products.push(node);
    else for (const input of node?.inputs ?? []) tensors.add(input);
  }
  return products;
}

/** Tensors whose rows are those of `source`: what is computed from it, save that a product has its left operand's rows. */
export function tensorsOfRows(graph: Graph, source: string): ReadonlySet<string> {
  const active = activeTensors(graph, [source]);
  const found = new Set([source]);
  for (const node of graph.sortedNodes()) {
    const carriers = isProduct(node) ? node.inputs.slice(0, 1) : node.inputs;
    if (!carriers.some((input) => found.has(input))) continue;
    for (const output of node.outputs) if (active.has(output)) found.add(output);
  }
  return found;
}

function isProduct(node: Node): boolean {
  return node.opType === 'MatMul' || node.opType === 'FusedMatMul';
}
