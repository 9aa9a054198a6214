import { intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import { axesUpTo, positiveAxis } from '../rules/rule.js';
import type { ProbedExtents } from '../session/probe.js';
import type { ProbedShapes } from '../session/probed-shapes.js';

type Extents = readonly number[];

const ELEMENTWISE: ReadonlySet<string> = new Set(
  'Add Sub Mul Div Neg Exp Tanh Sigmoid Sqrt Erf Sign Where Identity'.split(' '),
);
/** Their further outputs are means and deviations over the normalised axes, which stay with an extent of 1. */
const NORMALISATIONS: ReadonlySet<string> = new Set(['LayerNormalization', 'SimplifiedLayerNormalization']);
const REDUCTIONS: ReadonlySet<string> = new Set(['ReduceSum', 'ReduceMean']);

/** Shapes of what a gradient appended, from those of what was probed; left out where an operator is not one it uses much. */
export function inferShapes(graph: Graph, shapes: ProbedShapes, nodes: readonly Node[]): void {
  for (const node of nodes) {
    const [output = '', ...others] = node.outputs;
    const inputs = node.inputs.map((input) => shapes.extents(input));
    const [data] = inputs;
    if (NORMALISATIONS.has(node.opType) && data) {
      const first = positiveAxis(intAttribute(node, 'axis', -1), data[0].length);
      const statistics = (run: Extents): Extents => run.map((extent, axis) => (axis < first ? extent : 1));
      for (const other of others) shapes.assign(other, [statistics(data[0]), statistics(data[1])]);
    }
    if (others.length > 0 || shapes.extents(output)) continue;
    const run = (index: 0 | 1): Extents | undefined => {
      const own = inputs.map((extents) => extents?.[index]);
      return own.every((extents) => extents !== undefined) ? shapeOf(graph, node, own) : undefined;
    };
    const [first, second] = [run(0), run(1)];
    if (first && second) shapes.assign(output, [first, second] satisfies ProbedExtents);
  }
}

function shapeOf(graph: Graph, node: Node, inputs: readonly Extents[]): Extents | undefined {
  const [first = [], second = []] = inputs;
  if (ELEMENTWISE.has(node.opType)) return inputs.reduce(broadcast);
  if (node.opType === 'MatMul' || node.opType === 'FusedMatMul') {
    const isPlain = ['transA', 'transBatchA', 'transBatchB'].every(
      (name) => intAttribute(node, name, 0) === 0,
    );
    const columns = second.at(intAttribute(node, 'transB', 0) === 0 ? -1 : -2);
    const isShared = second.length === 2 && first.length >= 2;
    return isPlain && isShared && columns !== undefined ? [...first.slice(0, -1), columns] : undefined;
  }
  if (REDUCTIONS.has(node.opType) && intAttribute(node, 'keepdims', 1) === 1) {
    const axes = intsAttribute(node, 'axes') ?? graph.constantValues(node.inputs[1] ?? '');
    const reduced = axes?.map((axis) => positiveAxis(axis, first.length));
    return reduced && first.map((extent, axis) => (reduced.includes(axis) ? 1 : extent));
  }
  return undefined;
}

/** ONNX's multidirectional broadcasting. */
function broadcast(left: Extents, right: Extents): Extents {
  const rank = Math.max(left.length, right.length);
  const at = (extents: Extents, axis: number): number => extents[axis - (rank - extents.length)] ?? 1;
  return axesUpTo(rank).map((axis) => (at(left, axis) === 1 ? at(right, axis) : at(left, axis)));
}
