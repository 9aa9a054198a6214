import type { UnsupportedOperatorError } from '../errors.js';
import type { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';
import type { StaticShape } from '../session/probe.js';

/** Shapes as far as they are static. */
export interface Shapes {
  dims(tensor: string): StaticShape;
  rank(tensor: string): number;
}

/**
 * What a rule gets. Letters in the formulas: g gradient of the loss with respect to the node's first output y, x its inputs,
 * dx the gradient the rule returns.
 */
export interface RuleContext {
  readonly node: Node;
  readonly graph: Graph;
  readonly emit: Emitter;
  readonly shapes: Shapes;
  /** x: names of the inputs, '' for an absent one. */
  readonly x: readonly string[];
  /** y: name of the first output. */
  readonly y: string;
  /** g: gradient of the first output. */
  readonly g: string;
  /** Gradients of all outputs, undefined where none arrives. */
  readonly gradients: readonly (string | undefined)[];
  /** Which inputs a gradient is wanted for. */
  readonly wanted: readonly boolean[];
  /** Sums a gradient of the shape of `from` down to the shape of `to`, undoing broadcasting. */
  readonly sumTo: (gradient: string, from: string, to: string) => string;
  /** Row sums Σ g·y of a softmax that its reader could compute more cheaply, by the softmax's output. */
  readonly softmaxRowSums: Map<string, string>;
  /** The error for a form of the operator that the rule does not cover. */
  readonly unsupported: (problem: string) => UnsupportedOperatorError;
}

/** Emits the gradients of a node's inputs, in their order; undefined where none is wanted. */
export type Rule = (context: RuleContext) => readonly (string | undefined)[];

/** A tensor of indices as int64; models hold int32 ones too. */
export function asInt64({ graph, emit }: RuleContext, tensor: string): string {
  return graph.initializers.get(tensor)?.dataType === DataType.int64
    ? tensor
    : emit.cast(tensor, DataType.int64);
}

/** Index of an axis counted from the front. */
export function positiveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** 0 … rank − 1. */
export function axesUpTo(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}
