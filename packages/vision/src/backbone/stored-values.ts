import type { Graph, Tensor } from '@dynaprompt/onnx-autodiff';

/** What values go through in models of reduced precision without becoming others, but for rounding. */
export const CONVERSIONS: ReadonlySet<string> = new Set([
  'Cast',
  'Identity',
  'DynamicQuantizeLinear',
  'QuantizeLinear',
  'DequantizeLinear',
]);

/** The tensor whose values another has, before they were converted. */
export function unconverted(graph: Graph, tensor: string): string {
  const producer = graph.producer(tensor);
  return producer && CONVERSIONS.has(producer.opType) ? unconverted(graph, producer.inputs[0] ?? '') : tensor;
}

/** The constant that a tensor is, or is the values of. */
export function constantBehind(graph: Graph, tensor: string): Tensor | undefined {
  return graph.initializers.get(unconverted(graph, tensor));
}
