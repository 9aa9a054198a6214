import { activeTensors } from '../activity.js';
import { StructureNotFoundError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';

/**
 * Adds a graph input `key_bias`, float32 [B, T], to the attention scores of every key in every layer: softmax(s + bias). With
 * log γ it gates prompt tokens multiplicatively. Where a layer already adds a mask that no activation enters, the bias goes
 * into the mask, once for all layers, so it costs no pass over the scores.
 * @param embeddings tensor that the attention has to depend on.
 * @throws StructureNotFoundError if no attention softmax depends on it.
 */
export function addKeyBias(graph: Graph, embeddings: string): string {
  const emit = new Emitter(graph);
  const active = activeTensors(graph, [embeddings]);
  const softmaxes = graph
    .sortedNodes()
    .filter(
      (node) => node.opType === 'Softmax' && active.has(node.inputs[0] ?? '') && isAttention(graph, node),
    );
  if (softmaxes.length === 0) {
    throw new StructureNotFoundError({
      subject: graph.source,
      problem: 'no attention softmax was found whose key tokens could be gated',
      remedy: 'Use a prompt of fixed length with this model',
    });
  }
  const bias = emit.input({
    name: 'key_bias',
    dataType: DataType.float32,
    dims: ['batch_size', 'prompted_length'],
  });
  const column = emit.unsqueeze(bias, [1, 2]);
  const biasedMasks = new Map<string, string>();
  for (const softmax of softmaxes) {
    const [scores = ''] = softmax.inputs;
    const sum = graph.producer(scores);
    const mask = sum?.opType === 'Add' ? sum.inputs.find((input) => !active.has(input)) : undefined;
    if (sum === undefined || mask === undefined) {
      graph.setInputs(softmax, [emit.add(scores, column)]);
      continue;
    }
    const biased = biasedMasks.get(mask) ?? emit.add(mask, column);
    biasedMasks.set(mask, biased);
    graph.setInputs(
      sum,
      sum.inputs.map((input) => (input === mask ? biased : input)),
    );
  }
  return bias;
}

/** A softmax whose result weights values: its only reader is a product with it on the left. */
function isAttention(graph: Graph, softmax: Node): boolean {
  const [weights = ''] = softmax.outputs;
  return graph
    .consumers(weights)
    .some((node) => ['MatMul', 'FusedMatMul'].includes(node.opType) && node.inputs[0] === weights);
}
