import { ModelError } from '@dynaprompt/core';
import type { Graph } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from './package-name.js';

/**
 * Copies what leads to a tensor, with other tensors in place of some: the model runs twice in one graph. Constants, and what
 * depends on constants alone, are shared.
 * @param substitutes by the tensor that each one replaces in the copy.
 * @returns the copy of `target`.
 * @throws ModelError if a control-flow node is on the way.
 */
export function copyComputation(
  graph: Graph,
  target: string,
  substitutes: ReadonlyMap<string, string>,
): string {
  const copies = new Map(substitutes);
  for (const node of graph.sortedNodes([target])) {
    const hasBody = [...node.attributes.values()].some(({ kind }) => kind === 'graph' || kind === 'graphs');
    if (hasBody) {
      throw new ModelError({
        packageName: PACKAGE_NAME,
        subject: `${graph.source}, node ${node.name} (${node.opType})`,
        problem: 'control flow cannot be copied',
        remedy: 'Export the model without branches and loops',
      });
    }
    if (!node.inputs.some((input) => copies.has(input))) continue;
    const outputs = node.outputs.map((output) => (output === '' ? '' : graph.fresh(node.opType)));
    const { opType, domain, attributes } = node;
    graph.add({
      opType,
      domain,
      attributes,
      inputs: node.inputs.map((input) => copies.get(input) ?? input),
      outputs,
    });
    node.outputs.forEach((output, index) => copies.set(output, outputs[index] ?? ''));
    // An absent optional output is no tensor to be read.
    copies.delete('');
  }
  return copies.get(target) ?? target;
}

/** Lets a tensor of the graph take the place of one of its inputs, which is no input any more. */
export function supplyInput(graph: Graph, input: string, tensor: string): void {
  graph.inputs.delete(input);
  graph.replaceUses(input, tensor);
}
