import type { Graph } from '../graph/graph.js';

/**
 * Drops absent inputs at the ends of nodes' lists. onnxruntime's optimiser takes down the process on
 * LayerNormalization(x, γ, '') (1.30, graph optimisation `all`), which torch exports for a norm without bias.
 */
export function dropAbsentInputs(graph: Graph): void {
  for (const node of [...graph.nodes]) {
    const count = node.inputs.findLastIndex((input) => input !== '') + 1;
    if (count < node.inputs.length) graph.setInputs(node, node.inputs.slice(0, count));
  }
}
