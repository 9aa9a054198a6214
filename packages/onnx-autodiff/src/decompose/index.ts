import { knownRanks } from '../canonicalise/ranks.js';
import { knownTypes } from '../canonicalise/casts.js';
import { UnsupportedOperatorError } from '../errors.js';
import { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import { activationDecompositions } from './activation.js';
import { attentionDecompositions } from './attention.js';
import type { Decomposition, DecompositionContext } from './decomposition.js';
import { groupQueryDecompositions } from './group-query-attention.js';
import { normalizationDecompositions } from './normalization.js';
import { productDecompositions } from './product.js';
import { REFUSED } from './refused.js';
import { rotaryDecompositions } from './rotary.js';
import { standardAttentionDecompositions } from './standard-attention.js';

const table = {
  ...activationDecompositions,
  ...normalizationDecompositions,
  ...productDecompositions,
  ...rotaryDecompositions,
  ...attentionDecompositions,
  ...groupQueryDecompositions,
  ...standardAttentionDecompositions,
} as const satisfies Record<string, Decomposition>;

/** Operators that are written as others before differentiation; those outside the standard domain are `domain.Operator`. */
export type DecomposedOperator = keyof typeof table;

/** The table of decompositions, by operator. */
export const decompositions: Readonly<Record<DecomposedOperator, Decomposition>> = table;

/** Names of all operators that are decomposed, sorted. */
export const decomposedOperators = Object.keys(table).sort() as readonly DecomposedOperator[];

function operatorOf({ domain, opType }: Node): string {
  return domain === '' ? opType : `${domain}.${opType}`;
}

function findDecomposition(node: Node): Decomposition | undefined {
  return (table as Readonly<Record<string, Decomposition>>)[operatorOf(node)];
}

/**
 * Writes operators of optimised exports and of newer operator sets as operators that have a gradient rule. A node in a form that
 * its decomposition does not cover stays as it is, as inference can do with it: {@link refusalOf} says why when a gradient
 * has to pass through it.
 * @returns how many nodes were replaced.
 */
export function decompose(graph: Graph): number {
  const nodes = [...graph.nodes].filter((node) => findDecomposition(node));
  if (nodes.length === 0) return 0;
  const contextOf = contexts(graph);
  let count = 0;
  for (const node of nodes) {
    const replacements = attempt(node, contextOf(node));
    if (!replacements || replacements instanceof UnsupportedOperatorError) continue;
    graph.remove(node);
    node.outputs.forEach((output, index) => {
      const replacement = replacements[index];
      if (output !== '' && replacement !== undefined) takePlace(graph, output, replacement);
    });
    count++;
  }
  return count;
}

/** Why no gradient passes through a node whose operator or form is known to be without; undefined for an unknown operator. */
export function refusalOf(graph: Graph, node: Node): UnsupportedOperatorError | undefined {
  const reason = REFUSED[operatorOf(node)];
  if (reason !== undefined) return unsupported(graph, node, reason);
  const refused = attempt(node, contexts(graph.clone())(node));
  return refused instanceof UnsupportedOperatorError ? refused : undefined;
}

function attempt(
  node: Node,
  context: DecompositionContext,
): ReturnType<Decomposition> | UnsupportedOperatorError {
  try {
    return findDecomposition(node)?.(context);
  } catch (error) {
    if (error instanceof UnsupportedOperatorError) return error;
    throw error;
  }
}

/** What the decompositions of one graph share. */
function contexts(graph: Graph): (node: Node) => DecompositionContext {
  const emit = new Emitter(graph);
  const [ranks, types] = [knownRanks(graph), knownTypes(graph)];
  const shared = new Map<string, string>();
  const once = (key: string, make: () => string): string => {
    const tensor = shared.get(key) ?? make();
    shared.set(key, tensor);
    return tensor;
  };
  return (node) => ({
    node,
    graph,
    emit,
    x: node.inputs,
    ranks,
    types,
    once,
    isUsed: (index) => {
      const output = node.outputs[index] ?? '';
      return output !== '' && (graph.outputs.has(output) || graph.consumers(output).length > 0);
    },
    unsupported: (problem) => unsupported(graph, node, problem),
  });
}

/** Lets a new tensor stand for a removed node's output, under the output's name: callers know tensors by it. */
function takePlace(graph: Graph, output: string, replacement: string): void {
  const producer = graph.producer(replacement);
  const isShared = graph.outputs.has(replacement) || !replacement.startsWith('dynaprompt.');
  if (!producer || isShared) {
    graph.add({
      opType: 'Identity',
      domain: '',
      inputs: [replacement],
      outputs: [output],
      attributes: new Map(),
    });
    return;
  }
  graph.setOutputs(
    producer,
    producer.outputs.map((name) => (name === replacement ? output : name)),
  );
  graph.replaceUses(replacement, output);
}

function unsupported(graph: Graph, node: Node, problem: string): UnsupportedOperatorError {
  return new UnsupportedOperatorError({
    subject: `${graph.source}, node ${node.name || (node.outputs[0] ?? '')} (${operatorOf(node)})`,
    problem: `no gradient: ${problem}`,
    remedy: 'Export the model in another form, or extend the decomposition in decompose/',
  });
}
