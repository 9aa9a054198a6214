import { gradientPath, operatorName } from './activity.js';
import { UnsupportedOperatorError } from './errors.js';
import { Emitter } from './graph/emitter.js';
import type { Graph } from './graph/graph.js';
import type { Node } from './graph/types.js';
import { findRule } from './rules/index.js';
import { axesUpTo } from './rules/rule.js';
import { probeShapes, type ProbeInputs, type StaticShape } from './session/probe.js';
import { ProbedShapes } from './session/probed-shapes.js';
import type { SessionOptions } from './session/session.js';

/** A tensor and the gradient of the loss with respect to it, from which the reverse walk starts. */
export interface Seed {
  readonly tensor: string;
  readonly gradient: string;
}

/**
 * Static shapes of everything a gradient from `targets` to `sources` will look at. Run it before the loss is appended.
 * @throws UnsupportedOperatorError if an operator on the way has no rule.
 */
export async function gradientShapes(
  graph: Graph,
  sources: readonly string[],
  targets: readonly string[],
  probeInputs?: ProbeInputs,
  options?: Pick<SessionOptions, 'isolated'>,
): Promise<ProbedShapes> {
  const path = gradientPath(graph, sources, targets);
  const wanted = new Set([...sources, ...targets]);
  for (const node of path.nodes) for (const name of [...node.inputs, ...node.outputs]) wanted.add(name);
  wanted.delete('');
  for (const name of graph.initializers.keys()) wanted.delete(name);
  return new ProbedShapes(graph, await probeShapes(graph, wanted, probeInputs, options));
}

/**
 * Appends reverse-mode differentiation to a graph: walks the nodes between `sources` and the seeds backwards, lets each
 * node's rule emit the gradients of its inputs, and adds up what arrives at a tensor from several readers.
 * Griewank & Walther 2008, chapter 3.
 * @returns the gradient's tensor for every source; zeros where the seeds do not depend on it.
 * @throws UnsupportedOperatorError if an operator on the way has no rule or a form that its rule does not cover.
 */
export function appendGradient(
  graph: Graph,
  seeds: readonly Seed[],
  sources: readonly string[],
  shapes: ProbedShapes,
): Map<string, string> {
  const emit = new Emitter(graph);
  const { nodes, tensors } = gradientPath(
    graph,
    sources,
    seeds.map((seed) => seed.tensor),
  );
  const sumTo = (gradient: string, from: string, to: string): string =>
    undoBroadcast(emit, gradient, shapes.dims(from), shapes.dims(to));
  const softmaxRowSums = new Map<string, string>();
  const arrived = new Map<string, string[]>();
  const arrive = (tensor: string, gradient: string): void => {
    arrived.set(tensor, [...(arrived.get(tensor) ?? []), gradient]);
  };
  const total = (tensor: string): string | undefined => {
    const parts = arrived.get(tensor);
    if (!parts) return undefined;
    const sum = parts.reduce((left, right) => emit.add(left, right));
    const extents = shapes.extents(tensor);
    if (extents) shapes.assign(sum, extents);
    arrived.set(tensor, [sum]);
    return sum;
  };

  for (const seed of seeds) arrive(seed.tensor, seed.gradient);
  for (const node of [...nodes].reverse()) {
    const gradients = node.outputs.map((output) => (output === '' ? undefined : total(output)));
    const g = gradients.find((gradient) => gradient !== undefined);
    const rule = findRule(operatorName(node));
    if (g === undefined || !rule) continue;
    if (node.opType !== 'Split' && gradients.some((gradient, index) => gradient !== undefined && index > 0)) {
      throw unsupported(graph, node, 'an output of it other than the first is used');
    }
    // Rules may give the node other inputs; gradients are those of the ones it had.
    const x = node.inputs;
    const wanted = x.map((input) => tensors.has(input));
    const context = {
      node,
      graph,
      emit,
      shapes,
      x,
      y: node.outputs[0] ?? '',
      g,
      gradients,
      wanted,
    };
    const results = rule({
      ...context,
      sumTo,
      softmaxRowSums,
      unsupported: (problem) => unsupported(graph, node, problem),
    });
    x.forEach((input, index) => {
      const gradient = results[index];
      if (!wanted[index]) return;
      if (gradient === undefined) throw unsupported(graph, node, `its rule has none for input ${index}`);
      arrive(input, gradient);
    });
  }
  return new Map(sources.map((source) => [source, total(source) ?? emit.zerosLike(source)]));
}

/** Sums over the axes along which `to` was repeated to get the shape `from`. */
function undoBroadcast(emit: Emitter, gradient: string, from: StaticShape, to: StaticShape): string {
  const leading = from.length - to.length;
  let result = leading > 0 ? emit.reduceSum(gradient, axesUpTo(leading), 0) : gradient;
  const repeated = axesUpTo(to.length).filter((axis) => to[axis] === 1 && from[axis + leading] !== 1);
  if (repeated.length > 0) result = emit.reduceSum(result, repeated, 1);
  return result;
}

function unsupported(graph: Graph, node: Node, problem: string): UnsupportedOperatorError {
  return new UnsupportedOperatorError({
    subject: `${graph.source}, node ${node.name || (node.outputs[0] ?? '')} (${operatorName(node)})`,
    problem: `no gradient: ${problem}`,
    remedy: 'Export the model in another form, or extend the rule in rules/',
  });
}
