import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Graph } from '@dynaprompt/onnx-autodiff';
import { storedTensors } from './stored-tensors.js';

const WHOLE_LIMIT = 64 << 20;
const SAMPLES = 512;
const SAMPLE_BYTES = 1 << 16;

/**
 * Content hash of ONNX models, 16 hex digits: of one file that of `fileHash`, of several one of theirs. Files that a model keeps its
 * weights in count with it.
 * @throws MalformedModelError (of onnx-autodiff) if a file is no model, or its weights are missing.
 */
export function fingerprint(...models: readonly string[]): string {
  const [first = '', ...others] = models.flatMap((model) =>
    [...storedTensors(Graph.read(model), model)].map(([file, offsets]) => fileHash(file, offsets)),
  );
  if (others.length === 0) return first;
  return createHash('sha256')
    .update([first, ...others].join())
    .digest('hex')
    .slice(0, 16);
}

/**
 * Content hash of a file of weights, 16 hex digits of SHA-256: of all bytes up to 64 MB; beyond, of the size and 64 kB samples, at
 * 512 evenly spaced places and where tensors begin, so that a model of gigabytes is known in a fraction of a second, and by the
 * smallest of its layers.
 */
function fileHash(file: string, offsets: readonly number[]): string {
  const hash = createHash('sha256');
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const buffer = new Uint8Array(SAMPLE_BYTES);
    hash.update(String(size));
    for (const place of size <= WHOLE_LIMIT ? allPlaces(size) : samplePlaces(size, offsets)) {
      const read = readSync(descriptor, buffer, 0, SAMPLE_BYTES, place);
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Places of adjoining samples. */
function allPlaces(size: number): readonly number[] {
  return Array.from({ length: Math.ceil(size / SAMPLE_BYTES) }, (_, index) => index * SAMPLE_BYTES);
}

function samplePlaces(size: number, offsets: readonly number[]): readonly number[] {
  const stride = Math.floor((size - SAMPLE_BYTES) / (SAMPLES - 1));
  const even = Array.from({ length: SAMPLES }, (_, index) => index * stride);
  return [...new Set([...even, ...offsets])].sort((left, right) => left - right);
}
