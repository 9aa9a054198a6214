import { closeSync, openSync, readSync } from 'node:fs';
import { MalformedModelError } from '../errors.js';
import { DataType, type Tensor } from './types.js';

/** Bytes of one element; 0 for types of less than a byte and for strings. */
export const ELEMENT_BYTES: Readonly<Record<number, number>> = {
  [DataType.float32]: 4,
  [DataType.uint8]: 1,
  [DataType.int8]: 1,
  [DataType.uint16]: 2,
  [DataType.int16]: 2,
  [DataType.int32]: 4,
  [DataType.int64]: 8,
  [DataType.bool]: 1,
  [DataType.float16]: 2,
  [DataType.float64]: 8,
  [DataType.uint32]: 4,
  [DataType.uint64]: 8,
  [DataType.bfloat16]: 2,
};

/** Axes of a tensor; no operator in use knows more, and a hostile shape could hold millions. */
export const MAXIMUM_RANK = 64;

/** Bytes that a tensor of this shape takes; undefined for element types without a fixed size. */
export function byteLength(dataType: number, dims: readonly number[]): number | undefined {
  const halves: readonly number[] = [DataType.int4, DataType.uint4];
  if (halves.includes(dataType)) return Math.ceil(elementCount(dims) / 2);
  const size = ELEMENT_BYTES[dataType];
  return size === undefined ? undefined : elementCount(dims) * size;
}

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, extent) => product * extent, 1);
}

/**
 * Raw bytes of a tensor, read from its file if they are not in memory.
 * @throws MalformedModelError if it holds strings, or its file is gone or has become shorter.
 */
export function tensorBytes(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  if (data.kind === 'bytes') return data.bytes;
  const subject = `tensor ${tensor.name}`;
  if (data.kind === 'strings') {
    throw new MalformedModelError({
      subject,
      problem: 'numbers are needed, but it holds strings',
      remedy: 'Export the model without the tokeniser inside',
    });
  }
  const bytes = new Uint8Array(data.length);
  let filled = 0;
  try {
    const descriptor = openSync(data.file, 'r');
    try {
      for (let count = -1; count !== 0 && filled < bytes.length; filled += count)
        count = readSync(descriptor, bytes, filled, bytes.length - filled, data.offset + filled);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw unreadable(`${data.file}, ${subject}`, 'the file cannot be read', cause);
  }
  if (filled < bytes.length)
    throw unreadable(`${data.file}, ${subject}`, 'the file ends before the tensor does');
  return bytes;
}

function unreadable(subject: string, problem: string, cause?: unknown): MalformedModelError {
  return new MalformedModelError({ subject, problem, remedy: 'Download the model again', cause });
}

/**
 * Values of a tensor as numbers (int64 beyond 2^53 is rounded), in row-major order.
 * @throws MalformedModelError if the bytes do not fit the shape or the type has no numbers.
 */
export function tensorValues(tensor: Tensor): Float64Array | Float32Array | Int32Array {
  const bytes = tensorBytes(tensor).slice();
  const count = elementCount(tensor.dims);
  if (bytes.length !== count * (ELEMENT_BYTES[tensor.dataType] ?? Number.NaN)) {
    throw new MalformedModelError({
      subject: `tensor ${tensor.name}`,
      problem: `${bytes.length} bytes for shape [${tensor.dims.join(', ')}] of element type ${tensor.dataType}`,
      remedy: 'The file is damaged; download or export it again',
    });
  }
  const { buffer } = bytes;
  switch (tensor.dataType) {
    case DataType.float32:
      return new Float32Array(buffer);
    case DataType.float64:
      return new Float64Array(buffer);
    case DataType.int32:
      return new Int32Array(buffer);
    case DataType.int64:
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case DataType.uint64:
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case DataType.uint32:
      return Float64Array.from(new Uint32Array(buffer));
    case DataType.int16:
      return Int32Array.from(new Int16Array(buffer));
    case DataType.uint16:
      return Int32Array.from(new Uint16Array(buffer));
    case DataType.int8:
      return Int32Array.from(new Int8Array(buffer));
    case DataType.float16:
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    case DataType.bfloat16:
      return Float32Array.from(new Uint16Array(buffer), bfloatToNumber);
    default:
      return Int32Array.from(new Uint8Array(buffer));
  }
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloatToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0;
}
