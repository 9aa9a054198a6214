import { activeTensors, differentiableOperators, type Graph, type Node } from '@dynaprompt/onnx-autodiff';

/** An operator that a gradient would have to pass through. */
export interface MissingGradient {
  /** Those outside the standard domain are written `domain.Operator`. */
  readonly operator: string;
  /** Nodes of it. */
  readonly count: number;
}

const KNOWN: ReadonlySet<string> = new Set(differentiableOperators);

/**
 * Operators without a gradient rule between some tensors and another one, most frequent first.
 * @param graph prepared: operators that are written as others are so by now.
 */
export function missingGradients(
  graph: Graph,
  sources: readonly string[],
  targets: readonly string[],
): readonly MissingGradient[] {
  const active = activeTensors(graph, sources, targets);
  const counts = new Map<string, number>();
  for (const node of graph.sortedNodes(targets)) {
    const isOnPath =
      node.inputs.some((input) => active.has(input)) &&
      // Made here: an operator that changes in steps ends the gradient and needs no rule.
      node.outputs.some((output) => active.has(output)) &&
      !node.outputs.some((output) => sources.includes(output));
    const operator = nameOf(node);
    if (isOnPath && !KNOWN.has(operator)) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  }
  return [...counts]
    .map(([operator, count]) => ({ operator, count }))
    .sort((left, right) => right.count - left.count || left.operator.localeCompare(right.operator));
}

function nameOf({ domain, opType }: Node): string {
  return domain === '' ? opType : `${domain}.${opType}`;
}
