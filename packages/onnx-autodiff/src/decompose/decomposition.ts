import type { UnsupportedOperatorError } from '../errors.js';
import type { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';

/** What a decomposition has at hand. */
export interface DecompositionContext {
  readonly node: Node;
  readonly graph: Graph;
  readonly emit: Emitter;
  /** Names of the inputs; '' where one is absent. */
  readonly x: readonly string[];
  /** Ranks of tensors as far as the graph says them. */
  readonly ranks: ReadonlyMap<string, number>;
  /** Element types of tensors as far as the graph says them. */
  readonly types: ReadonlyMap<string, number>;
  /** Whether an output is there and somebody reads it. */
  readonly isUsed: (output: number) => boolean;
  /** What `make` returned the first time under this key: masks and angles that all layers share. */
  readonly once: (key: string, make: () => string) => string;
  /** The error for a form of the operator that the decomposition does not cover. */
  readonly unsupported: (problem: string) => UnsupportedOperatorError;
}

/**
 * Emits an operator's meaning in operators that have a gradient rule. Returns the tensors that take the place of its outputs,
 * undefined where one is not used; or undefined as a whole where the node has a rule as it is.
 * Throw `unsupported` before emitting anything.
 */
export type Decomposition = (context: DecompositionContext) => readonly (string | undefined)[] | undefined;

/** Value of a string attribute, with the operator's default. */
export function stringAttribute(node: Node, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : fallback;
}

/** Refuses optional inputs beyond those that a decomposition knows. */
export function refuseInputsFrom(
  context: DecompositionContext,
  first: number,
  names: readonly string[],
): void {
  names.forEach((name, index) => {
    if ((context.x[first + index] ?? '') !== '') throw context.unsupported(`its input ${name} is given`);
  });
}

/** A tensor in two equal parts along its last axis. */
export function halves({ emit, graph }: DecompositionContext, tensor: string): readonly [string, string] {
  const values = graph.opset >= 18 ? { axis: -1, num_outputs: 2 } : { axis: -1 };
  const [first = '', second = ''] = emit.node('Split', [tensor], values, { outputs: 2 });
  return [first, second];
}

/** Operators that leave the last extent of their first input as it is, or that broadcast it. */
const KEEPS_LAST_EXTENT: ReadonlySet<string> = new Set(
  'Add Sub Mul Div Identity Cast Dropout LayerNormalization SimplifiedLayerNormalization Relu Tanh Sigmoid'.split(
    ' ',
  ),
);

/** Last extent of a tensor where the graph says it without running: the width of a projection, of a table, of an input. */
export function lastExtent(graph: Graph, tensor: string): number | undefined {
  const pending = [tensor];
  const seen = new Set(pending);
  for (const name of pending) {
    const dims = graph.initializers.get(name)?.dims ?? graph.inputs.get(name)?.dims;
    const extent = dims?.at(-1);
    // An extent of 1 may be broadcast.
    if (typeof extent === 'number' && extent !== 1) return extent;
    const producer = graph.producer(name);
    const reads = producer ? carriersOf(graph, producer) : [];
    for (const input of reads) if (!seen.has(input)) pending.push(input);
    for (const input of reads) seen.add(input);
  }
  return undefined;
}

/** Inputs whose last extent is that of the output. */
function carriersOf(graph: Graph, { opType, inputs, attributes }: Node): readonly string[] {
  const [first = '', second = ''] = inputs;
  if (KEEPS_LAST_EXTENT.has(opType)) return [first, second];
  if (opType === 'MatMul') return [second];
  const isTransposed = attributes.get('transB');
  if (
    (opType === 'Gemm' || opType === 'FusedMatMul') &&
    (isTransposed?.kind !== 'int' || isTransposed.value === 0)
  )
    return [second];
  // Rows of a table.
  const isTable = graph.initializers.get(first)?.dims.length === 2 && !attributes.has('axis');
  return opType === 'Gather' && isTable ? [first] : [];
}
