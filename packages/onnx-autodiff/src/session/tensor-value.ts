import { InvalidInputError } from '../errors.js';
import { DataType } from '../graph/types.js';

/** Element types that go in and out of a session, by ONNX element type. */
export const ELEMENT_TYPES = {
  [DataType.float32]: 'float32',
  [DataType.uint8]: 'uint8',
  [DataType.int8]: 'int8',
  [DataType.int32]: 'int32',
  [DataType.int64]: 'int64',
  [DataType.bool]: 'bool',
  [DataType.float64]: 'float64',
} as const;
/** Element type of a tensor value, by the name that onnxruntime gives it. */
export type ElementType = (typeof ELEMENT_TYPES)[keyof typeof ELEMENT_TYPES];

/** A tensor in host memory, row-major. int64 data is a BigInt64Array, bool data a Uint8Array. */
export interface TensorValue {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;
}

/** A float32 tensor. */
export function float32(data: Float32Array, dims: readonly number[]): TensorValue {
  return { type: 'float32', dims, data };
}

/** An int64 tensor from whole numbers. */
export function int64(values: ArrayLike<number>, dims: readonly number[]): TensorValue {
  const data = new BigInt64Array(values.length);
  for (let index = 0; index < values.length; index++) data[index] = BigInt(values[index] ?? 0);
  return { type: 'int64', dims, data };
}

/**
 * The values of a float32 tensor that a session returned.
 * @throws InvalidInputError if it is none.
 */
export function floatsOf(value: TensorValue | undefined): Float32Array {
  if (value?.data instanceof Float32Array) return value.data;
  throw new InvalidInputError({
    subject: value ? `tensor of shape [${value.dims.join(', ')}]` : 'tensor',
    problem: value ? `its elements are ${value.type}, not float32` : 'it is missing',
    remedy: 'Choose an output of float32, or read `data` itself',
  });
}
