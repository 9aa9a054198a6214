import type { Graph, Node } from '@dynaprompt/onnx-autodiff';
import { constantBehind, CONVERSIONS, unconverted } from './stored-values.js';

/** A product x W, perhaps with a bias, of weights in any precision. */
interface Linear {
  /** x, before it was quantised. */
  readonly input: string;
  /** Width of x; undefined where the file does not say it. */
  readonly inner: number | undefined;
}

/** Operators that multiply their first input by weights [K, N], the second. */
const PRODUCTS: ReadonlySet<string> = new Set([
  'MatMul',
  'Gemm',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
]);

/** Operators whose weights are packed; attribute K is the width of what they multiply. */
const PACKED_PRODUCTS: ReadonlySet<string> = new Set(['MatMulNBits', 'MatMulBnb4']);

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
    return product ? ifWide(product, width) : embedding;
  }
  const classifier = graph.outputs.has('logits') ? linearBehind(graph, 'logits') : undefined;
  return classifier && ifWide(classifier, width);
}

/** x of x / ‖x‖. */
function unnormalised(graph: Graph, tensor: string): string {
  const node = graph.producer(tensor);
  if (node?.opType === 'Cast') return unnormalised(graph, node.inputs[0] ?? tensor);
  return node?.opType === 'Div' || node?.opType === 'Identity' ? (node.inputs[0] ?? tensor) : tensor;
}

/** The product of a tensor x W or x W + b. */
function linearBehind(graph: Graph, tensor: string): Linear | undefined {
  const node = graph.producer(tensor);
  if (!node) return undefined;
  const [input = '', weight = ''] = node.inputs;
  if (CONVERSIONS.has(node.opType)) return linearBehind(graph, input);
  if (node.opType === 'Add') {
    const computed = node.inputs.filter((each) => constantBehind(graph, each) === undefined);
    return computed.length === 1 ? linearBehind(graph, computed[0] ?? '') : undefined;
  }
  const dims = constantBehind(graph, weight)?.dims;
  if (PACKED_PRODUCTS.has(node.opType)) return { input: unconverted(graph, input), inner: whole(node, 'K') };
  if (!PRODUCTS.has(node.opType) || dims === undefined) return undefined;
  return { input: unconverted(graph, input), inner: dims.at(whole(node, 'transB') === 1 ? 1 : 0) };
}

function ifWide({ input, inner }: Linear, width: number): string | undefined {
  return inner === width ? input : undefined;
}

function whole({ attributes }: Node, name: string): number | undefined {
  const attribute = attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : undefined;
}
