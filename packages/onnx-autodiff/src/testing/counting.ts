import type { Graph } from '../graph/graph.js';
import { DataType, type Attribute, type GraphProto } from '../graph/types.js';
import { buildGraph, nodeOf } from './models.js';

/** A graph that counts up to its input `count`: `y` = 1 + 1 + …, without an end in sight for 2^60. */
export function countingGraph(): Graph {
  const scalar = (name: string, dataType: number) => ({ name, dataType, dims: [] });
  const body: GraphProto = {
    name: 'body',
    nodes: [nodeOf('Identity', ['go'], ['goes on']), nodeOf('Add', ['sum', 'one'], ['next'])],
    initializers: [],
    inputs: [scalar('step', DataType.int64), scalar('go', DataType.bool), scalar('sum', DataType.int64)],
    outputs: [scalar('goes on', DataType.bool), scalar('next', DataType.int64)],
  };
  return buildGraph((emit) => {
    const count = emit.input({ name: 'count', dataType: DataType.int64, dims: [] });
    const attribute: Attribute = { kind: 'graph', value: body };
    emit.alias(emit.int(1), 'one');
    emit.graph.add(nodeOf('Loop', [count, '', emit.int(0)], ['y'], new Map([['body', attribute]])));
    emit.graph.outputs.set('y', { name: 'y', dataType: DataType.int64, dims: [] });
  });
}
