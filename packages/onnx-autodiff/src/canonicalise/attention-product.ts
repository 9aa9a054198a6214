import { attributes, intsAttribute } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { producedBy, replaceNode, scalarAndOther, soleConsumer } from './patterns.js';
import { withoutScale } from './scalars.js';

/**
 * Q · transpose(K) · scale  →  FusedMatMul(Q, K, transB, alpha): no transposed copy of the keys, no pass over the scores; nor
 * over Q and K, which torch's scaled_dot_product_attention multiplies by the root of the scale each.
 */
export function fuseAttentionProduct(graph: Graph): number {
  let count = 0;
  for (const product of [...graph.nodes]) {
    if (product.opType !== 'MatMul' || product.inputs.some((input) => graph.isConstant(input))) continue;
    const [query, keys] = product.inputs.map((input) => withoutScale(graph, input));
    if (!query || !keys) continue;
    const [scores = ''] = product.outputs;
    const untransposed = withoutKeyTranspose(graph, keys.tensor);
    const scaling = soleConsumer(graph, scores, 'Div') ?? soleConsumer(graph, scores, 'Mul');
    const parts = scaling && scalarAndOther(graph, scaling);
    const scale =
      parts?.other === scores && (scaling?.opType === 'Mul' || scaling?.inputs[0] === scores)
        ? parts.scalar
        : undefined;
    const before = query.scale * keys.scale;
    if (untransposed === undefined && scale === undefined && before === 1) continue;
    const alpha = before * (scale === undefined ? 1 : scaling?.opType === 'Div' ? 1 / scale : scale);
    const fused = {
      opType: 'FusedMatMul',
      domain: 'com.microsoft',
      inputs: [query.tensor, untransposed ?? keys.tensor],
      attributes: attributes({
        alpha: { float: alpha },
        transA: 0,
        transB: untransposed === undefined ? 0 : 1,
      }),
    };
    if (scaling && scale !== undefined) {
      graph.remove(product);
      replaceNode(graph, scaling, fused);
    } else replaceNode(graph, product, fused);
    count++;
  }
  return count;
}

/** The keys before a transposition of their last two axes, [B, h, T, d_h]. */
function withoutKeyTranspose(graph: Graph, keys: string): string | undefined {
  const transpose = producedBy(graph, keys, 'Transpose');
  const perm = transpose && intsAttribute(transpose, 'perm')?.join();
  if (transpose === undefined) return undefined;
  if (perm === '0,1,3,2' || perm === '0,2,1') return transpose.inputs[0];
  if (perm !== '0,2,3,1') return undefined;
  // [B, T, h, d_h] → [B, h, d_h, T] in one step: take [B, h, T, d_h] instead.
  const output = graph.fresh('keys');
  graph.add({
    opType: 'Transpose',
    domain: '',
    inputs: transpose.inputs,
    outputs: [output],
    attributes: attributes({ perm: [0, 2, 1, 3] }),
  });
  return output;
}
