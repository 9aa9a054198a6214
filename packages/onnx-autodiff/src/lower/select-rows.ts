import { Emitter, intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import type { ProbedShapes } from '../session/probed-shapes.js';
import { inferShapes } from './infer-shapes.js';
import { rowAxes, type RowAxes } from './row-axis.js';

const LAST = 2 ** 31;

/** Which rows a gather takes, and how to take them of another tensor. */
interface RowPick {
  /** Axis of the gather's data along which the rows lie. */
  readonly axis: number;
  /** Whether these rows can be taken of a tensor along an axis. */
  readonly fits: (tensor: string, axis: number) => boolean;
  readonly take: (tensor: string, axis: number) => string;
}

/**
 * Where only one row of the last hidden state is read (BERT's [CLS], ViT's class token), computes only that row: a Gather with
 * a constant index on axis 1 moves up through operators that treat rows one by one, as far as nothing else reads them. Saves
 * the last layer's queries, attention, output projection and feed-forward part, forward and backward, for every other row.
 * @returns how many operators now work on one row.
 */
export function selectRowsEarly(graph: Graph, shapes: ProbedShapes): number {
  const emit = new Emitter(graph);
  let moved = 0;
  for (const node of graph.sortedNodes()) {
    const [data = '', indices = ''] = node.inputs;
    const isRow = node.opType === 'Gather' && node.domain === '' && intAttribute(node, 'axis', 0) === 1;
    const index = graph.scalar(indices);
    const isSingle = graph.initializers.get(indices)?.dims.length === 0;
    const source = shapes.known(data);
    const hasRows = source?.length === 3 && source[1] !== 1;
    if (!isRow || !isSingle || index === undefined || !hasRows) continue;
    const pick: RowPick = {
      axis: 1,
      fits: () => true,
      take: (tensor, axis) => {
        const bounds = [emit.ints(index), emit.ints(index === -1 ? LAST : index + 1), emit.ints(axis)];
        const row = emit.op('Slice', [tensor, ...bounds]);
        shapes.narrow(row, tensor, axis);
        return row;
      },
    };
    const count = moveUp(graph, shapes, node, pick);
    if (count === 0) continue;
    graph.remove(node);
    graph.add({ ...node, opType: 'Squeeze', inputs: [data, emit.ints(1)], attributes: new Map() });
    moved += count;
  }
  return moved;
}

/**
 * Computes only those rows [B, l, d] of a gradient [B, T, d] that a GatherND over one batch axis picks out of it: in the first
 * layer, only the gradients of the prompts' rows are wanted.
 * @param rows what the gather makes.
 * @returns how many operators now work on these rows.
 */
export function gatherRowsEarly(graph: Graph, shapes: ProbedShapes, rows: string): number {
  const gather = graph.producer(rows);
  const [data = '', places = ''] = gather?.inputs ?? [];
  if (gather?.opType !== 'GatherND' || intAttribute(gather, 'batch_dims', 0) !== 1) return 0;
  inferShapes(graph, shapes, graph.sortedNodes([data]));
  const emit = new Emitter(graph);
  const pick: RowPick = {
    axis: 1,
    fits: (tensor, axis) => axis === 1 && shapes.agree(tensor, 0, data, 0),
    take: (tensor) => emit.op('GatherND', [tensor, places], { batch_dims: 1 }),
  };
  const count = moveUp(graph, shapes, gather, pick);
  if (count === 0) return 0;
  graph.remove(gather);
  emit.alias(data, rows);
  return count;
}

/** Lets the nodes that treat rows one by one work on the picked rows; the gather's data then holds these alone. */
function moveUp(graph: Graph, shapes: ProbedShapes, gather: Node, pick: RowPick): number {
  const moved = rowWiseNodes(graph, shapes, gather, pick);
  const emit = new Emitter(graph);
  const produced = new Set([...moved.keys()].flatMap((node) => node.outputs));
  const taken = new Map<string, string>();
  const take = (tensor: string, axis: number): string => {
    const key = `${axis} ${tensor}`;
    const rows = taken.get(key) ?? pick.take(tensor, axis);
    taken.set(key, rows);
    return rows;
  };
  for (const [node, { axis, inputs }] of moved) {
    const takeInput = (input: string, at: number): string => {
      const own = inputs[at] ?? null;
      return own === null || produced.has(input) ? input : take(input, own);
    };
    const [data = '', ...others] = node.inputs.map(takeInput);
    const target = node.opType === 'Reshape' ? graph.constantValues(others[0] ?? '') : undefined;
    const kept = target?.map((extent, at) => (at <= axis ? 0 : extent));
    graph.setInputs(node, kept ? [data, emit.ints(...kept)] : [data, ...others]);
    const [output = ''] = node.outputs;
    shapes.narrow(output, output, axis);
  }
  return moved.size;
}

interface RowWise {
  /** Along which the rows of the output lie. */
  readonly axis: number;
  readonly inputs: RowAxes;
}

/** Nodes that need to work on the gathered row only, last first. */
function rowWiseNodes(
  graph: Graph,
  shapes: ProbedShapes,
  gather: Node,
  pick: RowPick,
): ReadonlyMap<Node, RowWise> {
  const moved = new Map<Node, RowWise>();
  const sorted = graph.sortedNodes(gather.outputs);
  for (let at = sorted.indexOf(gather) - 1; at >= 0; at--) {
    const node = sorted[at];
    const [output = ''] = node?.outputs ?? [];
    if (!node || graph.outputs.has(output)) continue;
    const axis = axisThatAllRead(graph.consumers(output), output, { gather, axis: pick.axis }, moved);
    const inputs = axis === undefined ? undefined : rowAxes(graph, shapes, node, axis);
    const fits = inputs?.every((own, index) => own === null || pick.fits(node.inputs[index] ?? '', own));
    if (axis !== undefined && inputs && fits === true) moved.set(node, { axis, inputs });
  }
  return moved;
}

/** The axis along which every reader of a tensor takes one row; undefined if one needs more, or another axis. */
function axisThatAllRead(
  readers: readonly Node[],
  tensor: string,
  { gather, axis: gathered }: { readonly gather: Node; readonly axis: number },
  moved: ReadonlyMap<Node, RowWise>,
): number | undefined {
  const axes = readers.flatMap((reader): (number | null)[] => {
    if (reader === gather) return [gathered];
    const inputs = moved.get(reader)?.inputs;
    return reader.inputs.flatMap((input, at) => (input === tensor ? [inputs?.[at] ?? null] : []));
  });
  const [axis = null] = axes;
  return axis !== null && axes.every((other) => other === axis) ? axis : undefined;
}
