import { ModelError } from '@dynaprompt/core';
import type { Graph } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';

/** A tower's graph and the embedding [rows, D] that it ends in. */
export interface SingleTower {
  readonly graph: Graph;
  readonly output: string;
}

/**
 * Reduces a prepared graph, which may hold both towers, to one of them.
 * @param outputs names that the embedding may have; the first that there is.
 * @throws ModelError if the graph has none of the outputs.
 */
export function readTower(graph: Graph, outputs: readonly string[]): SingleTower {
  const output = embeddingOf(graph, outputs);
  keepOutput(graph, output);
  return { graph, output };
}

/**
 * Name of a tower's embedding: the first of `outputs` that a graph has.
 * @throws ModelError if it has none of them.
 */
export function embeddingOf(graph: Graph, outputs: readonly string[]): string {
  const output = outputs.find((name) => graph.outputs.has(name));
  if (output === undefined) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: graph.source,
      problem: `it has none of the outputs ${outputs.join(', ')}`,
      remedy: 'Export the model for the task zero-shot-image-classification, or its towers with projection',
    });
  }
  return output;
}

/** Drops what an output does not need. */
export function keepOutput(graph: Graph, output: string): void {
  for (const name of [...graph.outputs.keys()]) if (name !== output) graph.outputs.delete(name);
  graph.prune();
  for (const name of [...graph.inputs.keys()])
    if (graph.consumers(name).length === 0) graph.inputs.delete(name);
}
