import type { Graph } from '@dynaprompt/onnx-autodiff';
import { INPUT } from './names.js';

/** The sum of token and token-type embeddings if the model forms it directly, else the embeddings themselves. */
export function withTokenTypes(graph: Graph, embeddings: string): string {
  const typeLookup = graph.consumers(INPUT.types).find((node) => node.opType === 'Gather');
  const sum = graph
    .consumers(embeddings)
    .find((node) => node.opType === 'Add' && node.inputs.includes(typeLookup?.outputs[0] ?? ''));
  return sum?.outputs[0] ?? embeddings;
}
