import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/types.js';
import { isClose, otherInput, producedBy, replaceNode, scalarAndOther, soleConsumer } from './patterns.js';

const MICROSOFT = 'com.microsoft';

/** x · ½ · (1 + erf(x / √2)) in the orders exporters write it  →  com.microsoft Gelu. */
export function fuseGelu(graph: Graph): number {
  let count = 0;
  for (const erf of [...graph.nodes]) {
    if (erf.opType !== 'Erf') continue;
    const argument = graph.producer(erf.inputs[0] ?? '');
    const divisor = argument?.inputs[1] === undefined ? undefined : graph.scalar(argument.inputs[1]);
    const isArgument =
      (argument?.opType === 'Div' && isClose(divisor, Math.SQRT2)) ||
      (argument?.opType === 'Mul' && isClose(divisor, Math.SQRT1_2));
    const onePlus = soleConsumer(graph, erf.outputs[0], 'Add');
    const product = soleConsumer(graph, onePlus?.outputs[0], 'Mul');
    if (!argument || !isArgument || !onePlus || !product) continue;
    if (!isClose(scalarAndOther(graph, onePlus)?.scalar, 1)) continue;
    const x = argument.inputs[0] ?? '';
    const factor = otherInput(product, onePlus.outputs[0] ?? '');
    if (factor === x) {
      // (x · (1 + erf)) · ½
      const half = soleConsumer(graph, product.outputs[0], 'Mul');
      if (!half || !isClose(scalarAndOther(graph, half)?.scalar, 0.5)) continue;
      replaceNode(graph, half, { opType: 'Gelu', domain: MICROSOFT, inputs: [x], attributes: new Map() });
      count++;
      continue;
    }
    const halved = producedBy(graph, factor, 'Mul');
    const parts = halved && scalarAndOther(graph, halved);
    if (parts && isClose(parts.scalar, 0.5) && parts.other === x) {
      // (½ · x) · (1 + erf)
      replaceNode(graph, product, { opType: 'Gelu', domain: MICROSOFT, inputs: [x], attributes: new Map() });
      count++;
    }
  }
  return count;
}

/** ½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))  →  com.microsoft FastGelu. */
export function fuseTanhGelu(graph: Graph): number {
  let count = 0;
  for (const tanh of [...graph.nodes]) {
    if (tanh.opType !== 'Tanh') continue;
    const onePlus = soleConsumer(graph, tanh.outputs[0], 'Add');
    const product = soleConsumer(graph, onePlus?.outputs[0], 'Mul');
    const scaled = producedBy(graph, tanh.inputs[0], 'Mul');
    const outer = scaled && scalarAndOther(graph, scaled);
    if (!onePlus || !product || !outer || !isClose(outer.scalar, Math.sqrt(2 / Math.PI))) continue;
    if (!isClose(scalarAndOther(graph, onePlus)?.scalar, 1)) continue;
    const half = halvedProduct(graph, product, onePlus.outputs[0] ?? '');
    const sum = producedBy(graph, outer.other, 'Add');
    if (!half || !sum?.inputs.includes(half.x)) continue;
    const cubic = producedBy(graph, otherInput(sum, half.x), 'Mul');
    const cubicParts = cubic && scalarAndOther(graph, cubic);
    if (!cubicParts || !isClose(cubicParts.scalar, 0.044715) || !isCube(graph, cubicParts.other, half.x))
      continue;
    replaceNode(graph, half.result, {
      opType: 'FastGelu',
      domain: MICROSOFT,
      inputs: [half.x],
      attributes: new Map(),
    });
    count++;
  }
  return count;
}

/** (½ · x) · factor or (x · factor) · ½: the x, and the node that makes the result. */
function halvedProduct(graph: Graph, product: Node, factor: string): { x: string; result: Node } | undefined {
  const x = otherInput(product, factor);
  const halved = producedBy(graph, x, 'Mul');
  const before = halved && scalarAndOther(graph, halved);
  if (before && isClose(before.scalar, 0.5)) return { x: before.other, result: product };
  const half = soleConsumer(graph, product.outputs[0], 'Mul');
  return half && isClose(scalarAndOther(graph, half)?.scalar, 0.5) ? { x, result: half } : undefined;
}

function isCube(graph: Graph, tensor: string, x: string): boolean {
  const power = producedBy(graph, tensor, 'Pow');
  if (power) return power.inputs[0] === x && isClose(graph.scalar(power.inputs[1]), 3);
  const product = producedBy(graph, tensor, 'Mul');
  if (!product?.inputs.includes(x)) return false;
  const square = producedBy(graph, otherInput(product, x), 'Mul');
  return square?.inputs[0] === x && square.inputs[1] === x;
}
