import { intAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { DataType, type Node } from '../graph/types.js';
import { otherInput, producedBy, replaceNode, soleConsumer } from '../canonicalise/patterns.js';

/**
 * Cast(MatMulInteger(a, b)) · (scale of a · scale of b)  →  com.microsoft MatMulIntegerToFloat, one node from quantised operands
 * to a float product. It is the kernel that onnxruntime's own optimiser picks for what `quantize_dynamic` writes
 * (docs/ContribOperators.md), and has everything in one place that its gradient needs.
 * @returns how many were found.
 */
export function fuseIntegerProduct(graph: Graph): number {
  let count = 0;
  for (const product of [...graph.nodes]) {
    if (product.opType !== 'MatMulInteger' || product.domain !== '') continue;
    const cast = soleConsumer(graph, product.outputs[0], 'Cast');
    if (!cast || intAttribute(cast, 'to', 0) !== DataType.float32) continue;
    const scaling = soleConsumer(graph, cast.outputs[0], 'Mul');
    const scales = scaling && scalesOf(graph, product, otherInput(scaling, cast.outputs[0] ?? ''));
    if (!scales) continue;
    const [a = '', b = '', zeroOfA = '', zeroOfB = ''] = product.inputs;
    graph.remove(product);
    graph.remove(cast);
    replaceNode(graph, scaling, {
      opType: 'MatMulIntegerToFloat',
      domain: 'com.microsoft',
      inputs: zeroOfB === '' ? [a, b, ...scales, zeroOfA] : [a, b, ...scales, zeroOfA, zeroOfB],
      attributes: new Map(),
    });
    count++;
  }
  return count;
}

/** The scales of both operands, where `tensor` is their product. */
function scalesOf(graph: Graph, product: Node, tensor: string): readonly [string, string] | undefined {
  const scaleOfA = producedBy(graph, product.inputs[0], 'DynamicQuantizeLinear')?.outputs[1];
  const factors = producedBy(graph, tensor, 'Mul');
  if (scaleOfA === undefined || !factors?.inputs.includes(scaleOfA)) return undefined;
  return [scaleOfA, otherInput(factors, scaleOfA)];
}
