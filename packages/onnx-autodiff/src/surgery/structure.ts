import { activeTensors } from '../activity.js';
import { StructureNotFoundError } from '../errors.js';
import type { Graph } from '../graph/graph.js';

/**
 * Finds the embeddings of a vision transformer: the sum of patches and position embeddings, a constant [1, tokens, width].
 * @throws StructureNotFoundError if the graph has no such sum.
 */
export function findPatchEmbedding(
  graph: Graph,
  pixels = 'pixel_values',
): { tensor: string; tokens: number; width: number } {
  const active = activeTensors(graph, [pixels]);
  for (const node of graph.sortedNodes()) {
    if (node.opType !== 'Add' || !node.inputs.some((input) => active.has(input))) continue;
    const positions = node.inputs
      .map((input) => graph.initializers.get(input))
      .find((tensor) => tensor?.dims.length === 3);
    const [one, tokens = 0, width = 0] = positions?.dims ?? [];
    if (one === 1 && tokens > 1) return { tensor: node.outputs[0] ?? '', tokens, width };
  }
  throw new StructureNotFoundError({
    subject: graph.source,
    problem: `no sum of patches of ${pixels} and position embeddings was found`,
    remedy: 'Give the tensor of the patch embeddings explicitly',
  });
}

/**
 * Finds the last hidden state: the last residual sum of two tensors that both depend on `source`, and the normalisation
 * after it if there is one. What follows is the head.
 * @throws StructureNotFoundError if no residual sum depends on the source.
 */
export function findLastHiddenState(graph: Graph, source: string): string {
  const active = activeTensors(graph, [source]);
  const residual = graph
    .sortedNodes()
    .filter((node) => node.opType === 'Add' && node.inputs.every((input) => active.has(input)))
    .at(-1);
  const sum = residual?.outputs[0];
  if (sum === undefined) {
    throw new StructureNotFoundError({
      subject: graph.source,
      problem: `no residual connection depends on ${source}`,
      remedy: 'Name the tensor of the last hidden state explicitly',
    });
  }
  const normalisation = graph
    .consumers(sum)
    .find((node) => node.opType === 'LayerNormalization' || node.opType === 'SimplifiedLayerNormalization');
  return normalisation?.outputs[0] ?? sum;
}
