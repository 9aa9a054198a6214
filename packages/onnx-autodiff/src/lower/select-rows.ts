import { Emitter, intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import type { StaticShape } from '../session/probe.js';

/** Shapes that follow a change of the graph. */
export interface AdjustableShapes {
  dims(tensor: string): StaticShape;
  /** undefined for a tensor that was never probed. */
  known(tensor: string): StaticShape | undefined;
  assign(tensor: string, dims: StaticShape): void;
}

const UNARY = new Set([
  ...[
    'Gelu',
    'FastGelu',
    'QuickGelu',
    'Erf',
    'Tanh',
    'Sigmoid',
    'Relu',
    'Exp',
    'Log',
    'Sqrt',
    'Neg',
    'Abs',
    'Identity',
  ],
]);
const BINARY = new Set(['Add', 'Sub', 'Mul', 'Div']);
const LAST = 2 ** 31;

/**
 * Where only one row of the last hidden state is read (BERT's [CLS], ViT's class token), computes only that row: a Gather with
 * a constant index on axis 1 moves up through operators that treat rows one by one, as far as nothing else reads them. Saves
 * the output projection and the feed-forward part of the last layer, forward and backward, for every other row.
 * @returns how many operators now work on one row.
 */
export function selectRowsEarly(graph: Graph, shapes: AdjustableShapes): number {
  let moved = 0;
  for (const node of graph.sortedNodes()) {
    const isRow = node.opType === 'Gather' && node.domain === '' && intAttribute(node, 'axis', 0) === 1;
    const index = graph.scalar(node.inputs[1]);
    const isSingle = graph.initializers.get(node.inputs[1] ?? '')?.dims.length === 0;
    const source = shapes.known(node.inputs[0] ?? '');
    if (isRow && isSingle && index !== undefined && source?.length === 3)
      moved += moveUp(graph, shapes, node, index);
  }
  return moved;
}

function moveUp(graph: Graph, shapes: AdjustableShapes, gather: Node, index: number): number {
  const rowWise = new Map<Node, readonly string[]>();
  const sorted = graph.sortedNodes();
  for (let at = sorted.indexOf(gather) - 1; at >= 0; at--) {
    const node = sorted[at];
    const [output = ''] = node?.outputs ?? [];
    if (!node || graph.outputs.has(output)) continue;
    const readers = graph.consumers(output);
    if (readers.length === 0 || !readers.every((reader) => reader === gather || rowWise.has(reader)))
      continue;
    const data = rowInputs(graph, shapes, node);
    if (data) rowWise.set(node, data);
  }
  if (rowWise.size === 0) return 0;

  const emit = new Emitter(graph);
  const produced = new Set([...rowWise.keys()].flatMap((node) => node.outputs));
  const cuts = new Map<string, string>();
  const cut = (tensor: string): string => {
    const known = cuts.get(tensor);
    if (known !== undefined) return known;
    const bounds = [emit.ints(index), emit.ints(index === -1 ? LAST : index + 1), emit.ints(1)];
    const row = emit.op('Slice', [tensor, ...bounds]);
    shapes.assign(row, oneRow(shapes.dims(tensor)));
    cuts.set(tensor, row);
    return row;
  };
  for (const [node, data] of rowWise) {
    graph.setInputs(
      node,
      node.inputs.map((input) => (data.includes(input) && !produced.has(input) ? cut(input) : input)),
    );
    for (const output of node.outputs) if (output !== '') shapes.assign(output, oneRow(shapes.dims(output)));
  }
  const [hidden = ''] = gather.inputs;
  graph.remove(gather);
  graph.add({ ...gather, opType: 'Squeeze', inputs: [hidden, emit.ints(1)], attributes: new Map() });
  return rowWise.size;
}

function oneRow(dims: StaticShape): StaticShape {
  return [dims[0] ?? null, 1, ...dims.slice(2)];
}

/** The inputs of an operator that carry rows [B, T, d], if it treats rows one by one; undefined if it does not. */
function rowInputs(graph: Graph, shapes: AdjustableShapes, node: Node): readonly string[] | undefined {
  const isRows = (tensor: string): boolean => {
    const dims = graph.isConstant(tensor) ? undefined : shapes.known(tensor);
    return dims?.length === 3 && dims[1] !== 1;
  };
  const isPerColumn = (tensor: string): boolean => (graph.initializers.get(tensor)?.dims.length ?? 2) <= 1;
  const [first = '', second = ''] = node.inputs;
  if (!isRows(node.outputs[0] ?? '') || node.outputs.some((output, index) => index > 0 && output !== ''))
    return undefined;
  const isStandard = node.domain === '' || node.domain === 'com.microsoft';
  if (isStandard && UNARY.has(node.opType) && node.inputs.length === 1)
    return isRows(first) ? [first] : undefined;
  if (node.domain !== '') return undefined;
  if (BINARY.has(node.opType)) {
    const isSound = node.inputs.every((input) => isRows(input) || isPerColumn(input));
    return isSound ? node.inputs.filter(isRows) : undefined;
  }
  if (node.opType === 'MatMul') {
    const isWeight = graph.initializers.get(second)?.dims.length === 2;
    return isRows(first) && isWeight ? [first] : undefined;
  }
  if (node.opType === 'LayerNormalization' || node.opType === 'SimplifiedLayerNormalization') {
    const axis = intAttribute(node, 'axis', -1);
    return isRows(first) && (axis === -1 || axis === 2) ? [first] : undefined;
  }
  return undefined;
}
