import { createHash } from 'node:crypto';

/**
 * A segment: an immutable file of vectors that were computed together.
 *
 * ```
 * magic "DYNPFEA1" | width u32 | count u32 | keys count × 32 bytes | vectors count × width float32 | SHA-256 of all before
 * ```
 * All numbers are little-endian. The checksum lets a reader tell a damaged file from a good one.
 */
export interface Segment {
  readonly width: number;
  /** Hexadecimal SHA-256 of every example, in the order of the vectors. */
  readonly keys: readonly string[];
  /** [count, width] */
  readonly vectors: Float32Array;
}

const magic = Buffer.from('DYNPFEA1', 'latin1');
const headerBytes = magic.length + 8;
const keyBytes = 32;
const checksumBytes = 32;

/** The bytes of a segment file. */
export function encodeSegment(segment: Segment): Buffer {
  const { width, keys, vectors } = segment;
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32LE(width, magic.length);
  header.writeUInt32LE(keys.length, magic.length + 4);
  const body = Buffer.concat([
    header,
    ...keys.map((key) => Buffer.from(key, 'hex')),
    Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength),
  ]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** Reads the keys of a segment from the first bytes of its file; `undefined` where those are not a segment's of `width`. */
export function decodeKeys(bytes: Buffer, fileSize: number, width: number): readonly string[] | undefined {
  const count = countOf(bytes, fileSize, width);
  if (count === undefined || bytes.length < headerBytes + count * keyBytes) return undefined;
  return keysOf(bytes, count);
}

/** Bytes that hold header and keys, told from the header alone; `undefined` where this is not a segment of `width`. */
export function keyRegion(header: Buffer, fileSize: number, width: number): number | undefined {
  const count = countOf(header, fileSize, width);
  return count === undefined ? undefined : headerBytes + count * keyBytes;
}

/** Length of the header that {@link keyRegion} wants. */
export const segmentHeaderBytes = headerBytes;

/** The segment in a file's bytes; `undefined` where they are damaged. */
export function decodeSegment(bytes: Buffer, width: number): Segment | undefined {
  const count = countOf(bytes, bytes.length, width);
  if (count === undefined) return undefined;
  const body = bytes.subarray(0, bytes.length - checksumBytes);
  const checksum = bytes.subarray(bytes.length - checksumBytes);
  if (!createHash('sha256').update(body).digest().equals(checksum)) return undefined;
  const start = headerBytes + count * keyBytes;
  const vectors = new Float32Array(Uint8Array.prototype.slice.call(body, start).buffer);
  return { width, keys: keysOf(bytes, count), vectors };
}

function countOf(bytes: Buffer, fileSize: number, width: number): number | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  if (bytes.readUInt32LE(magic.length) !== width) return undefined;
  const count = bytes.readUInt32LE(magic.length + 4);
  return fileSize === headerBytes + count * (keyBytes + width * 4) + checksumBytes ? count : undefined;
}

function keysOf(bytes: Buffer, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    bytes.toString('hex', headerBytes + index * keyBytes, headerBytes + (index + 1) * keyBytes),
  );
}
