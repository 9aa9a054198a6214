import { Emitter } from '../graph/emitter.js';
import { readsOf, type Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import type { PromptInjection } from './prompts.js';

/**
 * Lets attention biases of relative positions (BEiT) fit the prompted rows: a bias [1, h, rows, rows] that knows nothing of the
 * prompts becomes [B, h, T, T], picked by `injection.order` and 0 wherever a prompt takes part (as Jia et al. 2022, Visual Prompt
 * Tuning, do in Swin). Call it after an injection that changes the number of rows.
 * @returns how many biases there were.
 */
export function widenPositionBiases(graph: Graph, injection: PromptInjection): number {
  const emit = new Emitter(graph);
  const prompted = descendants(graph, injection.embeddings);
  let places: string | undefined;
  const widened = new Map<string, string>();
  for (const sum of scoreSums(graph)) {
    const bias = sum.inputs.find((input) => !prompted.has(input));
    if (bias === undefined || sum.inputs.every((input) => !prompted.has(input))) continue;
    const dims = graph.initializers.get(bias)?.dims;
    if (dims !== undefined && dims.length < 3) continue;
    places ??= pairPlaces(emit, injection);
    const wide = widened.get(bias) ?? widen(emit, bias, injection, places);
    widened.set(bias, wide);
    graph.setInputs(
      sum,
      sum.inputs.map((input) => (input === bias ? wide : input)),
    );
  }
  return widened.size;
}

/** Sums whose result, perhaps through further sums, goes into a softmax. */
function scoreSums(graph: Graph): Node[] {
  const sums: Node[] = [];
  const tensors = [...graph.nodes]
    .filter(({ opType }) => opType === 'Softmax')
    .map(({ inputs }) => inputs[0] ?? '');
  for (const tensor of tensors) {
    const sum = graph.producer(tensor);
    if (sum?.opType !== 'Add' || sums.includes(sum)) continue;
    sums.push(sum);
    tensors.push(...sum.inputs);
  }
  return sums;
}

/** Everything computed from a tensor, its extents included. */
function descendants(graph: Graph, tensor: string): ReadonlySet<string> {
  const found = new Set([tensor]);
  for (const node of graph.sortedNodes())
    if (readsOf(node).some((input) => found.has(input))) for (const output of node.outputs) found.add(output);
  return found;
}

/** [B, T, T] place of (order_i, order_j) in a flattened matrix of all prompt and content rows. */
function pairPlaces(emit: Emitter, { order, sources }: PromptInjection): string {
  const rows = emit.mul(emit.unsqueeze(order, [2]), emit.extents(sources, 1));
  return emit.add(rows, emit.unsqueeze(order, [1]));
}

/** [1, h, rows, rows] → [B, h, T, T] */
function widen(emit: Emitter, bias: string, { prompts }: PromptInjection, index: string): string {
  const rows = emit.op('Gather', [emit.shape(bias), emit.ints(-1)]);
  const square = emit.reshape(bias, emit.concat([emit.ints(-1), rows, rows], 0));
  const count = emit.extents(prompts, 1);
  const before = emit.concat([emit.ints(0), count, count, emit.ints(0, 0, 0)], 0);
  const padded = emit.op('Pad', [square, before]);
  const flat = emit.op('Flatten', [padded], { axis: 1 }); // [h, (l + rows)²]
  return emit.transpose(emit.op('Gather', [flat, index], { axis: 1 }), [1, 0, 2, 3]);
}
