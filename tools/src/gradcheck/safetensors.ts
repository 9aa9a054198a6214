import { readFileSync } from 'node:fs';
import type { TensorValue } from '@dynaprompt/onnx-autodiff';

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads the float32 and int64 tensors of a safetensors file (format: 8-byte header length, JSON header, data). */
export function readSafetensors(file: string): ReadonlyMap<string, TensorValue> {
  const bytes = new Uint8Array(readFileSync(file));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) throw new Error(`${file}: too short to be a safetensors file; make the case again.`);
  const headerLength = Number(view.getBigUint64(0, true));
  if (8 + headerLength > bytes.length)
    throw new Error(`${file}: truncated in its header; make the case again.`);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength))) as Record<
    string,
    Entry
  >;
  const tensors = new Map<string, TensorValue>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [start, end] = entry.data_offsets;
    // A copy is aligned, the place in the file need not be.
    const data = bytes.slice(8 + headerLength + start, 8 + headerLength + end);
    if (entry.dtype === 'F32')
      tensors.set(name, { type: 'float32', dims: entry.shape, data: new Float32Array(data.buffer) });
    else if (entry.dtype === 'I64')
      tensors.set(name, { type: 'int64', dims: entry.shape, data: new BigInt64Array(data.buffer) });
    else throw new Error(`${file}: tensor ${name} is ${entry.dtype}; only F32 and I64 are read.`);
  }
  return tensors;
}
