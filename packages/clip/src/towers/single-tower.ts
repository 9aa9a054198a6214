import { ModelError } from '@dynaprompt/core';
import { prepareGraph, type Graph } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from '../package-name.js';

/** A tower's graph and the embedding [rows, D] that it ends in. */
export interface SingleTower {
  readonly graph: Graph;
  readonly output: string;
}

/**
 * One tower of an ONNX file that may hold both.
 * @param outputs names that the embedding may have; the first that there is.
 * @throws MalformedModelError of onnx-autodiff.
 * @throws ModelError if the file has none of the outputs.
 */
export function readTower(file: string, outputs: readonly string[]): SingleTower {
  const graph = prepareGraph(file);
  const output = outputs.find((name) => graph.outputs.has(name));
  if (output === undefined) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem: `it has none of the outputs ${outputs.join(', ')}`,
      remedy: 'Export the model for the task zero-shot-image-classification, or its towers with projection',
    });
  }
  keepOutput(graph, output);
  return { graph, output };
}

/** Drops what an output does not need. */
export function keepOutput(graph: Graph, output: string): void {
  for (const name of [...graph.outputs.keys()]) if (name !== output) graph.outputs.delete(name);
  graph.prune();
  for (const name of [...graph.inputs.keys()])
    if (graph.consumers(name).length === 0) graph.inputs.delete(name);
}
