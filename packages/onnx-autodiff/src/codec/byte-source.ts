import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MalformedModelError } from '../errors.js';

const WINDOW = 1 << 16;
const LFS_POINTER = 'version https://git-lfs';

/** Random access to the bytes of a model, in memory or in a file that is read piece by piece. */
export interface ByteSource {
  /** Shown in errors. */
  readonly name: string;
  /** Absolute path when the bytes come from a file. */
  readonly file: string | undefined;
  readonly size: number;
  /** The bytes [position, position + length); valid until the next call. */
  view(position: number, length: number): Uint8Array;
  /** One byte, without the cost of a view; undefined behind the end. A view of before is no longer valid. */
  byte(position: number): number | undefined;
  close(): void;
}

/** Whether these are the bytes of a pointer that git-lfs leaves in place of a file. */
export function isLfsPointer(source: ByteSource): boolean {
  const head = source.view(0, Math.min(LFS_POINTER.length, source.size));
  return new TextDecoder('latin1').decode(head) === LFS_POINTER;
}

/** Bytes in memory. */
export function bytesInMemory(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    file: undefined,
    size: bytes.length,
    view: (position, length) => bytes.subarray(position, position + length),
    byte: (position) => bytes[position],
    close: () => undefined,
  };
}

/**
 * Bytes of a file through a 64 kB window, so that weights that nobody asks for are never read.
 * @throws MalformedModelError if the file is missing, unreadable or a folder.
 */
export function bytesInFile(file: string): ByteSource {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (cause) {
    throw new MalformedModelError({
      subject: file,
      problem: 'the model file cannot be opened',
      remedy: 'Check the path and its permissions',
      cause,
    });
  }
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    throw new MalformedModelError({
      subject: file,
      problem: 'this is not a file',
      remedy: 'Give the path of the .onnx file itself',
    });
  }
  let window = new Uint8Array(WINDOW);
  let start = 0;
  let filled = 0;
  const move = (position: number, length: number): void => {
    if (length > window.length) window = new Uint8Array(length);
    start = position;
    filled = 0;
    while (filled < window.length) {
      const count = readSync(descriptor, window, filled, window.length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
  };
  return {
    name: file,
    file,
    size: status.size,
    view(position, length) {
      if (position < start || position + length > start + filled) move(position, length);
      return window.subarray(position - start, Math.min(position - start + length, filled));
    },
    byte(position) {
      if (position < start || position >= start + filled) move(position, 1);
      return filled > position - start ? window[position - start] : undefined;
    },
    close: () => {
      closeSync(descriptor);
    },
  };
}
