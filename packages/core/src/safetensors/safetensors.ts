import type { ParameterSet } from '../contracts/tensor.js';
import { sizeOf } from '../contracts/tensor.js';
import { DataError } from '../errors.js';
import { widenBfloat16, widenFloat16 } from './half-floats.js';
import { prefixBytes, readHeader } from './header.js';
import type { TensorEntry } from './header.js';

/** A tensor of a safetensors file. Half-precision values are widened to float32, exactly. */
export type SafetensorsTensor =
  | {
      readonly dtype: 'F32' | 'F16' | 'BF16';
      readonly shape: readonly number[];
      readonly values: Float32Array;
    }
  | { readonly dtype: 'I64'; readonly shape: readonly number[]; readonly values: BigInt64Array };

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** Strings of its `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The header is padded to a multiple of this, so that data is aligned for every element type. */
const alignment = 8;

/**
 * Reads the bytes of a safetensors file: 8 bytes of header length, little-endian, JSON header, data. Values are copies.
 * Source: github.com/huggingface/safetensors, "Format".
 *
 * @param file name of the file, for messages.
 * @throws DataError when the bytes are truncated or malformed, or a tensor is of another type than F32, F16, BF16 and I64.
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const { entries, metadata, dataStart } = readHeader(bytes, file);
  const tensors = entries.map((entry) => {
    // A copy is aligned, the place in the file need not be; Buffer's own slice would alias.
    const data = Uint8Array.prototype.slice.call(bytes, dataStart + entry.start, dataStart + entry.end);
    return [entry.name, tensorOf(entry, data.buffer)] as const;
  });
  return { tensors: new Map(tensors), metadata };
}

/**
 * The bytes of a safetensors file with float32 tensors.
 *
 * @throws DataError when a tensor's values do not fit its shape, or its name is reserved.
 */
export function encodeSafetensors(
  tensors: ParameterSet,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> =
    Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    if (name === '__metadata__' || name === '__proto__') throw unwritable(name, 'this name is reserved');
    if (values.length !== sizeOf(shape)) {
      throw unwritable(name, `it has ${values.length} values for shape [${shape.join(', ')}]`);
    }
    const start = end;
    end += values.byteLength;
    header[name] = { dtype: 'F32', shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = Math.ceil((prefixBytes + text.length) / alignment) * alignment;
  const bytes = new Uint8Array(dataStart + end).fill(0x20, prefixBytes, dataStart);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - prefixBytes), true);
  bytes.set(text, prefixBytes);
  let offset = dataStart;
  for (const { values } of tensors.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}

function tensorOf({ dtype, shape }: TensorEntry, data: ArrayBuffer): SafetensorsTensor {
  switch (dtype) {
    case 'F32':
      return { dtype, shape, values: new Float32Array(data) };
    case 'F16':
      return { dtype, shape, values: widenFloat16(new Uint16Array(data)) };
    case 'BF16':
      return { dtype, shape, values: widenBfloat16(new Uint16Array(data)) };
    case 'I64':
      return { dtype, shape, values: new BigInt64Array(data) };
  }
}

function unwritable(name: string, problem: string): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject: `tensor ${name}`,
    problem,
    remedy: 'Correct the tensor before it is written',
  });
}
