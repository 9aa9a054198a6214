import { intAttribute, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import { positiveAxis } from '../rules/rule.js';
import type { ProbedShapes } from '../session/probed-shapes.js';

/** The axis along which each input's rows lie, by input; null for one that belongs to every row. */
export type RowAxes = readonly (number | null)[];

const UNARY: ReadonlySet<string> = new Set([
  ...[
    'Gelu',
    'com.microsoft.Gelu',
    'com.microsoft.FastGelu',
    'com.microsoft.QuickGelu',
    'Erf',
    'Tanh',
    'Sigmoid',
  ],
  ...['Relu', 'Exp', 'Log', 'Sqrt', 'Neg', 'Abs', 'Identity'],
]);
const BINARY: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div']);
const NORMALISATIONS: ReadonlySet<string> = new Set(['LayerNormalization', 'SimplifiedLayerNormalization']);

/**
 * For an operator that makes each row of its output, rows lying along `axis`, from the same row of its inputs alone.
 * @returns undefined if it mixes rows, or if that cannot be told.
 */
export function rowAxes(graph: Graph, shapes: ProbedShapes, node: Node, axis: number): RowAxes | undefined {
  const [first = '', second = ''] = node.inputs;
  const rank = shapes.known(node.outputs[0] ?? '')?.length;
  const inputRank = shapes.known(first)?.length;
  if (rank === undefined || inputRank === undefined) return undefined;
  if (node.outputs.some((output, index) => index > 0 && output !== '')) return undefined;
  const operator = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  if (UNARY.has(operator)) return node.inputs.length === 1 ? [axis] : undefined;
  if (BINARY.has(operator)) return broadcastAxes(shapes, node, rank, axis);
  if (NORMALISATIONS.has(operator) || operator === 'Softmax') {
    const normalised = positiveAxis(intAttribute(node, 'axis', -1), rank);
    const isApart = operator === 'Softmax' ? normalised !== axis : normalised > axis;
    return isApart ? [axis, ...node.inputs.slice(1).map(() => null)] : undefined;
  }
  switch (operator) {
    case 'MatMul':
      // Rows of the left factor; the right one belongs to all of them.
      return axis === rank - 2 && inputRank === rank ? [inputRank - 2, null] : undefined;
    case 'com.microsoft.FusedMatMul': {
      const isPlain = ['transA', 'transBatchA', 'transBatchB'].every(
        (name) => intAttribute(node, name, 0) === 0,
      );
      return isPlain && axis === rank - 2 && inputRank === rank ? [inputRank - 2, null] : undefined;
    }
    case 'ReduceMean':
    case 'ReduceSum': {
      const axes = intsAttribute(node, 'axes') ?? graph.constantValues(second);
      const isApart = axes?.every((reduced) => positiveAxis(reduced, rank) !== axis);
      const isKept = intAttribute(node, 'keepdims', 1) === 1;
      return isApart === true && isKept ? [axis, ...node.inputs.slice(1).map(() => null)] : undefined;
    }
    case 'Transpose':
      return [intsAttribute(node, 'perm')?.[axis] ?? rank - 1 - axis];
    case 'Reshape': {
      const target = graph.constantValues(second);
      const isKept = target
        ?.slice(0, axis + 1)
        .every((_, at) => shapes.agree(first, at, node.outputs[0] ?? '', at));
      const isFixed = target?.every((extent, at) => (at <= axis ? extent >= 0 : extent > 0));
      return isKept === true && isFixed === true ? [axis, null] : undefined;
    }
    default:
      return undefined;
  }
}

/** An input whose extent along the rows is 1 belongs to every row. */
function broadcastAxes(shapes: ProbedShapes, node: Node, rank: number, axis: number): RowAxes | undefined {
  const axes: (number | null)[] = [];
  for (const input of node.inputs) {
    const dims = shapes.known(input);
    if (!dims) return undefined;
    const own = axis - (rank - dims.length);
    axes.push(own < 0 || dims[own] === 1 ? null : own);
  }
  return axes;
}
