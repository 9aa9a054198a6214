import { Emitter, intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import type { ProbedShapes } from '../session/probed-shapes.js';
import { rowAxes, type RowAxes } from './row-axis.js';

const LAST = 2 ** 31;

/**
 * Where only one row of the last hidden state is read (BERT's [CLS], ViT's class token), computes only that row: a Gather with
 * a constant index on axis 1 moves up through operators that treat rows one by one, as far as nothing else reads them. Saves
 * the last layer's queries, attention, output projection and feed-forward part, forward and backward, for every other row.
 * @returns how many operators now work on one row.
 */
export function selectRowsEarly(graph: Graph, shapes: ProbedShapes): number {
  let moved = 0;
  for (const node of graph.sortedNodes()) {
    const isRow = node.opType === 'Gather' && node.domain === '' && intAttribute(node, 'axis', 0) === 1;
    const index = graph.scalar(node.inputs[1]);
    const isSingle = graph.initializers.get(node.inputs[1] ?? '')?.dims.length === 0;
    const source = shapes.known(node.inputs[0] ?? '');
    const hasRows = source?.length === 3 && source[1] !== 1;
    if (isRow && isSingle && index !== undefined && hasRows) moved += moveUp(graph, shapes, node, index);
  }
  return moved;
}

function moveUp(graph: Graph, shapes: ProbedShapes, gather: Node, index: number): number {
  const moved = rowWiseNodes(graph, shapes, gather);
  if (moved.size === 0) return 0;
  const emit = new Emitter(graph);
  const produced = new Set([...moved.keys()].flatMap((node) => node.outputs));
  const cuts = new Map<string, string>();
  const cut = (tensor: string, axis: number): string => {
    const key = `${axis} ${tensor}`;
    const known = cuts.get(key);
    if (known !== undefined) return known;
    const bounds = [emit.ints(index), emit.ints(index === -1 ? LAST : index + 1), emit.ints(axis)];
    const row = emit.op('Slice', [tensor, ...bounds]);
    shapes.narrow(row, tensor, axis);
    cuts.set(key, row);
    return row;
  };
  for (const [node, { axis, inputs }] of moved) {
    const cutInput = (input: string, at: number): string => {
      const own = inputs[at] ?? null;
      return own === null || produced.has(input) ? input : cut(input, own);
    };
    const [data = '', ...others] = node.inputs.map(cutInput);
    const target = node.opType === 'Reshape' ? graph.constantValues(others[0] ?? '') : undefined;
    const kept = target?.map((extent, at) => (at <= axis ? 0 : extent));
    graph.setInputs(node, kept ? [data, emit.ints(...kept)] : [data, ...others]);
    const [output = ''] = node.outputs;
    shapes.narrow(output, output, axis);
  }
  const [hidden = ''] = gather.inputs;
  graph.remove(gather);
  graph.add({ ...gather, opType: 'Squeeze', inputs: [hidden, emit.ints(1)], attributes: new Map() });
  return moved.size;
}

interface RowWise {
  /** Along which the rows of the output lie. */
  readonly axis: number;
  readonly inputs: RowAxes;
}

/** Nodes that need to work on the gathered row only, last first. */
function rowWiseNodes(graph: Graph, shapes: ProbedShapes, gather: Node): ReadonlyMap<Node, RowWise> {
  const moved = new Map<Node, RowWise>();
  const sorted = graph.sortedNodes();
  for (let at = sorted.indexOf(gather) - 1; at >= 0; at--) {
    const node = sorted[at];
    const [output = ''] = node?.outputs ?? [];
    if (!node || graph.outputs.has(output)) continue;
    const axis = axisThatAllRead(graph.consumers(output), output, gather, moved);
    const inputs = axis === undefined ? undefined : rowAxes(graph, shapes, node, axis);
    if (axis !== undefined && inputs) moved.set(node, { axis, inputs });
  }
  return moved;
}

/** The axis along which every reader of a tensor takes one row; undefined if one needs more, or another axis. */
function axisThatAllRead(
  readers: readonly Node[],
  tensor: string,
  gather: Node,
  moved: ReadonlyMap<Node, RowWise>,
): number | undefined {
  const axes = readers.flatMap((reader): (number | null)[] => {
    if (reader === gather) return [1];
    const inputs = moved.get(reader)?.inputs;
    return reader.inputs.flatMap((input, at) => (input === tensor ? [inputs?.[at] ?? null] : []));
  });
  const [axis = null] = axes;
  return axis !== null && axes.every((other) => other === axis) ? axis : undefined;
}
