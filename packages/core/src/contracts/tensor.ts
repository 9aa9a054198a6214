/** A trainable tensor: readonly shape, values that only an optimiser writes. */
export interface ParameterTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Named trainable tensors; iteration order is the order of creation and is part of a checkpoint. */
export type ParameterSet = ReadonlyMap<string, ParameterTensor>;

/** Gradients by parameter name, same shapes as the parameters. */
export type GradientSet = ReadonlyMap<string, Float32Array>;

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
