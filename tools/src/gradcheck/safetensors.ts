import { readFileSync } from 'node:fs';
import type { TensorValue } from '@dynaprompt/onnx-autodiff';

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

interface Header {
  readonly __metadata__?: Readonly<Record<string, string>>;
  readonly [tensor: string]: unknown;
}

/** A safetensors file's float32 and int64 tensors, and the strings of its `__metadata__`. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, TensorValue>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file (format: 8-byte header length, JSON header, data).
 * @throws Error naming the file if it is truncated or none of this format.
 */
export function readSafetensors(file: string): Safetensors {
  const bytes = new Uint8Array(readFileSync(file));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) throw new Error(`${file}: too short to be a safetensors file; make the case again.`);
  const headerLength = Number(view.getBigUint64(0, true));
  if (8 + headerLength > bytes.length)
    throw new Error(`${file}: truncated in its header; make the case again.`);
  const header = parseHeader(bytes.subarray(8, 8 + headerLength), file);
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = new Map<string, TensorValue>();
  for (const [name, entry] of Object.entries(entries as Readonly<Record<string, Entry>>)) {
    const [start, end] = entry.data_offsets;
    if (8 + headerLength + end > bytes.length)
      throw new Error(`${file}: truncated within tensor ${name}; make the case again.`);
    // A copy is aligned, the place in the file need not be.
    const data = bytes.slice(8 + headerLength + start, 8 + headerLength + end);
    if (entry.dtype === 'F32')
      tensors.set(name, { type: 'float32', dims: entry.shape, data: new Float32Array(data.buffer) });
    else if (entry.dtype === 'I64')
      tensors.set(name, { type: 'int64', dims: entry.shape, data: new BigInt64Array(data.buffer) });
    else throw new Error(`${file}: tensor ${name} is ${entry.dtype}; only F32 and I64 are read.`);
  }
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array, file: string): Header {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Header;
  } catch {
    throw new Error(`${file}: its header is no JSON, so it is no safetensors file; make the case again.`);
  }
}
