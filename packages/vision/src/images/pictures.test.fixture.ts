import sharp, { type Sharp } from 'sharp';
import type { ImageExample } from '@dynaprompt/core';
import type { RgbImage } from './resample.js';

/** A picture with edges and fine detail, the same everywhere: integer arithmetic only. */
export function patterned(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[at++] = (x * x * 7 + y * 13 + x * y * 5 + c * 91) % 256;
    }
  }
  return { width, height, data };
}

/** A picture without fine detail: slow waves, different in each channel. */
export function smooth(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  const across = Float64Array.from({ length: width * 3 }, (_, at) =>
    Math.sin((6 * Math.floor(at / 3)) / width + (at % 3)),
  );
  const down = Float64Array.from({ length: height * 3 }, (_, at) =>
    Math.cos((4 * Math.floor(at / 3)) / height - (at % 3)),
  );
  for (let y = 0, at = 0; y < height; y++) {
    for (let column = 0; column < width * 3; column++) {
      data[at++] = 128 + 100 * (across[column] ?? NaN) * (down[y * 3 + (column % 3)] ?? NaN);
    }
  }
  return { width, height, data };
}

/** sharp's view of a picture, to be encoded. */
export function encoder({ data, width, height }: RgbImage): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** An encoded picture as an example. */
export function encoded(bytes: Uint8Array, id = 'train/1.jpg'): ImageExample {
  return { id, image: { kind: 'bytes', bytes } };
}

/** An example that is given as pixels. */
export function given({ width, height, data }: RgbImage, id = 'train/1'): ImageExample {
  return { id, image: { kind: 'pixels', width, height, channels: 3, data } };
}

/** Largest distance of two arrays. */
export function maximumDifference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length) return Infinity;
  let largest = 0;
  for (let at = 0; at < left.length; at++) {
    largest = Math.max(largest, Math.abs((left[at] ?? NaN) - (right[at] ?? NaN)));
  }
  return largest;
}

/** Mean distance of two arrays of one length. */
export function meanDifference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < left.length; at++) total += Math.abs((left[at] ?? NaN) - (right[at] ?? NaN));
  return total / left.length;
}
