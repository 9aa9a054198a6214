import { gradientPath } from '../activity.js';
import { Emitter, intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { elementCount, tensorValues } from '../graph/tensor-data.js';
import { DataType, type Node, type Tensor } from '../graph/types.js';

/**
 * Finds the weights of a model: its float32 constants of more than one number that `output` depends on continuously. Constants
 * of the model that were never trained, such as tables of sines, count as well.
 * @throws UnsupportedOperatorError if an operator between a weight and the output has no gradient.
 */
export function findWeights(graph: Graph, output: string): readonly Tensor[] {
  const candidates = [...graph.initializers.values()].filter(
    ({ dataType, dims }) => dataType === DataType.float32 && elementCount(dims) > 1,
  );
  const { tensors } = gradientPath(
    graph,
    candidates.map(({ name }) => name),
    [output],
  );
  return candidates.filter(({ name }) => tensors.has(name));
}

/**
 * Makes weights inputs of the graph, so that every run brings its own. Do it last, after the gradient was appended: constants
 * tell their shapes without a run.
 */
export function feedWeights(graph: Graph, weights: readonly Tensor[]): void {
  for (const { name, dims, dataType } of weights) {
    graph.initializers.delete(name);
    graph.inputs.set(name, { name, dims, dataType });
  }
}

/**
 * Lets a table of embeddings and an output layer that is the same tensor (a tied one) share it again where the exporter wrote it
 * a second time, usually transposed; trained apart, the two would part.
 * @returns names of the tensors that are now made from a table.
 */
export function tieWeights(graph: Graph): readonly string[] {
  const floats = [...graph.initializers.values()].filter(
    ({ dataType, dims }) => dataType === DataType.float32 && dims.length === 2 && elementCount(dims) > 1,
  );
  const tables = floats.filter(({ name }) => lookupsIn(graph, name).length > 0);
  const tied: string[] = [];
  for (const copy of floats.filter((tensor) => !tables.includes(tensor))) {
    for (const table of tables) {
      const isTransposed = isSameMatrix(table, copy, true);
      if (!isTransposed && !isSameMatrix(table, copy, false)) continue;
      graph.initializers.delete(copy.name);
      const emit = new Emitter(graph);
      if (isTransposed) emit.alias(emit.transpose(table.name, [1, 0]), copy.name);
      else emit.alias(table.name, copy.name);
      tied.push(copy.name);
      break;
    }
  }
  return tied;
}

/** Nodes that look rows up in a table. */
function lookupsIn(graph: Graph, table: string): readonly Node[] {
  return graph
    .consumers(table)
    .filter(
      (node) => node.opType === 'Gather' && node.inputs[0] === table && intAttribute(node, 'axis', 0) === 0,
    );
}

function isSameMatrix(left: Tensor, right: Tensor, isTransposed: boolean): boolean {
  const [rows = 0, columns = 0] = left.dims;
  const dims = isTransposed ? [columns, rows] : [rows, columns];
  if (dims.some((extent, axis) => right.dims[axis] !== extent)) return false;
  const [a, b] = [tensorValues(left), tensorValues(right)];
  return a.every((value, at) => {
    const other = isTransposed ? (at % columns) * rows + Math.floor(at / columns) : at;
    return value === b[other];
  });
}
