import { int64Array } from '../graph/integers.js';
import { DataType } from '../graph/types.js';

/** The typed number fields of a TensorProto, the alternative to `raw_data`. */
export interface TypedFields {
  readonly floats: number[];
  readonly int32s: number[];
  readonly int64s: number[];
  readonly doubles: number[];
  readonly uint64s: number[];
}

/** Raw little-endian bytes of a tensor that was stored in typed fields (onnx.proto3, TensorProto). */
export function typedFieldsToBytes(dataType: number, fields: TypedFields): Uint8Array {
  const bytesOf = (array: ArrayBufferView): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  switch (dataType) {
    case DataType.float32:
      return bytesOf(Float32Array.from(fields.floats));
    case DataType.float64:
      return bytesOf(Float64Array.from(fields.doubles));
    case DataType.int64:
      return bytesOf(int64Array(fields.int64s));
    case DataType.uint64:
      return bytesOf(BigUint64Array.from(fields.uint64s, BigInt));
    case DataType.uint32:
      return bytesOf(Uint32Array.from(fields.uint64s));
    case DataType.int32:
      return bytesOf(Int32Array.from(fields.int32s));
    case DataType.float16:
    case DataType.bfloat16:
    case DataType.uint16:
    case DataType.int16:
      return bytesOf(Uint16Array.from(fields.int32s));
    default:
      return bytesOf(Uint8Array.from(fields.int32s));
  }
}
