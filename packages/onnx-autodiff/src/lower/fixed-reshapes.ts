import { Emitter, intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import type { ProbedShapes } from '../session/probed-shapes.js';

/**
 * Gives reshapes a constant target where leading extents are those of the input and the others static, as in
 * [B, T, heads · d] → [B, T, heads, d]; exporters compute them from the shapes of other tensors. What computed them goes.
 * @returns how many reshapes now have a constant target.
 */
export function fixReshapes(graph: Graph, shapes: ProbedShapes): number {
  const emit = new Emitter(graph);
  let fixed = 0;
  for (const node of [...graph.nodes]) {
    const [data = '', computed = ''] = node.inputs;
    if (node.opType !== 'Reshape' || node.domain !== '' || graph.isConstant(computed)) continue;
    const target = fixedTarget(node, shapes);
    if (!target) continue;
    graph.setInputs(node, [data, emit.ints(...target)]);
    removeUnread(graph, computed);
    fixed++;
  }
  return fixed;
}

/** 0 where the extent is the input's, −1 for the one other extent that varies; undefined if there are more of them. */
function fixedTarget(node: Node, shapes: ProbedShapes): readonly number[] | undefined {
  const [data = ''] = node.inputs;
  const [reshaped = ''] = node.outputs;
  const dims = shapes.known(reshaped);
  if (!dims || !shapes.known(data) || intAttribute(node, 'allowzero', 0) !== 0) return undefined;
  const target = dims.map((extent, axis) => extent ?? (shapes.agree(data, axis, reshaped, axis) ? 0 : -1));
  const isPositive = dims.every((extent) => extent === null || extent > 0);
  return isPositive && target.filter((extent) => extent === -1).length <= 1 ? target : undefined;
}

function removeUnread(graph: Graph, tensor: string): void {
  const producer = graph.producer(tensor);
  const isRead = (name: string): boolean => graph.consumers(name).length > 0 || graph.outputs.has(name);
  if (!producer || producer.outputs.some(isRead)) return;
  graph.remove(producer);
  for (const input of new Set(producer.inputs)) removeUnread(graph, input);
}
