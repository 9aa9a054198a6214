import { StructureNotFoundError } from '../errors.js';
import { intsAttribute, type Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';

/**
 * Finds the convolutions [B, d, T] → [B, d', T] that read more than one row at a time.
 * @param active tensors that depend on the rows.
 * @throws StructureNotFoundError for a convolution over several axes, whose rows cannot be told.
 */
export function findRowConvolutions(graph: Graph, active: ReadonlySet<string>): readonly Node[] {
  const convolutions = graph
    .sortedNodes()
    .filter(({ opType, inputs }) => opType === 'Conv' && active.has(inputs[0] ?? ''))
    .filter((node) => kernelOf(graph, node).some((extent) => extent > 1));
  const flat = convolutions.find((node) => kernelOf(graph, node).length !== 1);
  if (!flat) return convolutions;
  throw new StructureNotFoundError({
    subject: `${graph.source}, node ${flat.name}`,
    problem: 'a convolution over several axes reads the tokens, so a token that is off would reach others',
    remedy: 'Use a prompt of fixed length with this model',
  });
}

/**
 * Scales the rows that convolutions read by e^bias, so that a row of gate γ = 0 is to its neighbours what lies beyond the
 * sequence's end, 0 (DeBERTa-v2: a convolution of width 3 beside the first layer).
 * @param bias [B, T]
 */
export function gateConvolutions(emit: Emitter, convolutions: readonly Node[], bias: string): void {
  if (convolutions.length === 0) return;
  const gates = emit.unsqueeze(emit.op('Exp', [bias]), [1]); // [B, 1, T]
  for (const node of convolutions) {
    const [rows = '', ...weights] = node.inputs;
    emit.graph.setInputs(node, [emit.mul(rows, gates), ...weights]);
  }
}

function kernelOf(graph: Graph, node: Node): readonly number[] {
  const weight = graph.initializers.get(node.inputs[1] ?? '');
  return intsAttribute(node, 'kernel_shape') ?? weight?.dims.slice(2) ?? [];
}
