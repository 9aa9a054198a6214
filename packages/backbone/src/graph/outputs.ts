import { DataType, float32, type Graph, type TensorValue } from '@dynaprompt/onnx-autodiff';

/** Declares tensors as outputs, and drops inputs that none of them needs. */
export function declareOutputs(graph: Graph, outputs: readonly string[]): void {
  for (const name of outputs) graph.outputs.set(name, { name, dataType: DataType.float32, dims: undefined });
  graph.prune();
}

/** A float32 tensor of a shape, for finding shapes. */
export function probeFloats(...dims: readonly number[]): TensorValue {
  return float32(new Float32Array(dims.reduce((product, extent) => product * extent, 1)).fill(0.1), dims);
}
