import type { Graph, Node } from '@dynaprompt/onnx-autodiff';

/**
 * The embedding of width d that a model pools a picture into: output `pooler_output`; what its projection to a shared space reads
 * (CLIP), or that itself before it is normalised (SigLIP); or what its classifier reads. undefined where there is none, such as in
 * a model with two classifiers (DeiT).
 */
export function ownPooling(graph: Graph, width: number): string | undefined {
  if (graph.outputs.has('pooler_output')) return 'pooler_output';
  if (graph.outputs.has('image_embeds')) {
    const embedding = unnormalised(graph, 'image_embeds');
    const product = linearBehind(graph, embedding);
    // Attention pooling ends in a residual sum, which is no product.
    return product ? ifWide(graph, product, width) : embedding;
  }
  const classifier = graph.outputs.has('logits') ? linearBehind(graph, 'logits') : undefined;
  return classifier && ifWide(graph, classifier, width);
}

/** x of x / ‖x‖. */
function unnormalised(graph: Graph, tensor: string): string {
  const node = graph.producer(tensor);
  return node?.opType === 'Div' || node?.opType === 'Identity' ? (node.inputs[0] ?? tensor) : tensor;
}

/** The product of a tensor x W or x W + b. */
function linearBehind(graph: Graph, tensor: string): Node | undefined {
  const node = graph.producer(tensor);
  if (node?.opType === 'Gemm') return node;
  if (node?.opType === 'Identity') return linearBehind(graph, node.inputs[0] ?? '');
  if (node?.opType === 'Add') {
    const computed = node.inputs.filter((input) => !graph.isConstant(input));
    return computed.length === 1 ? linearBehind(graph, computed[0] ?? '') : undefined;
  }
  const isLinear = node?.opType === 'MatMul' && graph.isConstant(node.inputs[1] ?? '');
  return isLinear ? node : undefined;
}

/** What a product with weights [d, out] or [out, d] reads. */
function ifWide(graph: Graph, { inputs, attributes }: Node, width: number): string | undefined {
  const [input, weight = ''] = inputs;
  const transposed = attributes.get('transB');
  const isTransposed = transposed?.kind === 'int' && transposed.value === 1;
  return graph.initializers.get(weight)?.dims.at(isTransposed ? 1 : 0) === width ? input : undefined;
}
