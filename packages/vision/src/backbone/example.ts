import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DataError, type ImageExample, type ImageSource } from '@dynaprompt/core';
import { reasonOf } from '../images/reason.js';
import { PACKAGE_NAME } from '../package-name.js';

/** A picture, and what a training step may have made of it. */
export interface VisionExample extends ImageExample {
  /**
   * Which draw of the backbone's `augmentation` this is; absent: the picture as it is. Features are always those of the picture
   * as it is.
   */
  readonly draw?: { readonly epoch: number; readonly index: number };
  /** [3, height, width] finished input of the model, in place of what the backbone would make of the picture. */
  readonly pixelValues?: Float32Array;
}

/** An example as the training shows it in an epoch; give it to `trainPrompt` of @dynaprompt/training as `augment`. */
export function drawn(example: VisionExample, draw: NonNullable<VisionExample['draw']>): VisionExample {
  return { ...example, draw };
}

const hashes = new WeakMap<ImageSource | Float32Array, string>();

/**
 * Hexadecimal SHA-256 of a picture's content: of its file, its bytes or its pixels with their extents. Hashed once for an object.
 * @throws DataError naming the picture whose file cannot be read.
 */
export function contentHash({ id, image, pixelValues }: VisionExample): string {
  const content = pixelValues ?? image;
  const known = hashes.get(content);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  if (content instanceof Float32Array) hash.update('values').update(bytesOf(content));
  else if (content.kind === 'file') hash.update(readContent(content.path, id));
  else if (content.kind === 'bytes') hash.update(content.bytes);
  else hash.update([content.width, content.height, content.channels].join()).update(content.data);
  const digest = hash.digest('hex');
  hashes.set(content, digest);
  return digest;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function readContent(path: string, id: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DataError({
      packageName: PACKAGE_NAME,
      subject: `picture '${id}'`,
      problem: `${path} cannot be read (${reasonOf(cause)})`,
      remedy: 'Check path and permissions',
      cause,
    });
  }
}
