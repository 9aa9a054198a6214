import { decomposedOperators, refusalOf } from './decompose/index.js';
import { UnsupportedOperatorError } from './errors.js';
import { intAttribute } from './graph/emitter.js';
import { readsOf, type Graph } from './graph/graph.js';
import { DataType, type Node } from './graph/types.js';
import { differentiableOperators, findRule, PIECEWISE_CONSTANT } from './rules/index.js';

/** Name of an operator in the rule table. */
export function operatorName(node: Node): string {
  return node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
}

function endsGradient(node: Node): boolean {
  if (node.domain === '' && PIECEWISE_CONSTANT.has(node.opType)) return true;
  const target = intAttribute(node, 'to', DataType.float32);
  const floats: readonly number[] = [DataType.float32, DataType.float16, DataType.float64, DataType.bfloat16];
  return node.opType === 'Cast' && !floats.includes(target);
}

/** Outputs that carry a gradient: not the scale and zero point that a dynamic quantisation chooses. */
function continuousOutputs(node: Node): readonly string[] {
  return node.opType === 'DynamicQuantizeLinear' ? node.outputs.slice(0, 1) : node.outputs;
}

/**
 * Tensors that change when one of `sources` does, and so may carry a gradient back to it: among those that the graph's
 * outputs and `targets` need.
 */
export function activeTensors(
  graph: Graph,
  sources: Iterable<string>,
  targets: readonly string[] = [],
): Set<string> {
  const active = new Set(sources);
  for (const node of graph.sortedNodes([...graph.outputs.keys(), ...targets])) {
    if (endsGradient(node) || !readsOf(node).some((input) => active.has(input))) continue;
    for (const output of continuousOutputs(node)) if (output !== '') active.add(output);
  }
  return active;
}

/** What lies between the sources and the targets of a gradient. */
export interface GradientPath {
  /** Nodes on the path, each after what it reads. */
  readonly nodes: readonly Node[];
  /** Tensors on the path. */
  readonly tensors: ReadonlySet<string>;
}

/**
 * Finds the nodes that a gradient of `targets` with respect to `sources` passes through, and checks that each has a rule.
 * @throws UnsupportedOperatorError naming the operator, the node, the model and what is supported.
 */
export function gradientPath(
  graph: Graph,
  sources: readonly string[],
  targets: readonly string[],
): GradientPath {
  const active = activeTensors(graph, sources, targets);
  const sorted = graph.sortedNodes(targets);
  const needed = new Set(targets.filter((target) => active.has(target)));
  const nodes: Node[] = [];
  for (let index = sorted.length - 1; index >= 0; index--) {
    const node = sorted[index];
    if (!node || endsGradient(node)) continue;
    const reads = readsOf(node).filter((input) => active.has(input));
    if (reads.length === 0 || !node.outputs.some((output) => needed.has(output))) continue;
    for (const input of reads) needed.add(input);
    nodes.push(node);
  }
  nodes.reverse();
  const missing = nodes.find((node) => !findRule(operatorName(node)));
  if (missing) {
    const refusal = refusalOf(graph, missing);
    if (refusal) throw refusal;
    const supported = [...new Set<string>([...differentiableOperators, ...decomposedOperators])].sort();
    throw new UnsupportedOperatorError({
      subject: `${graph.source}, node ${missing.name || (missing.outputs[0] ?? '')} (${operatorName(missing)})`,
      problem: 'the gradient has to pass through an operator that has no rule',
      remedy: `Add one to rules/, or export the model without it; supported: ${supported.join(', ')}`,
    });
  }
  return { nodes, tensors: needed };
}
