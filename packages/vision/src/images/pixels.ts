import { DataError, type ImageSource } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import type { RgbImage } from './resample.js';

/**
 * A picture that is given as pixels, as RGB: grey repeated, transparency dropped or put on white.
 * @throws DataError that names the picture when size, channels and data disagree, or it is beyond the limit.
 */
export function fromPixels(
  source: Extract<ImageSource, { kind: 'pixels' }>,
  id: string,
  maximumPixels: number,
  alpha: 'drop' | 'white',
): RgbImage {
  const { width, height, data } = source;
  const channels: number = source.channels;
  const pixels = width * height;
  const problem = ![width, height].every((side) => Number.isSafeInteger(side) && side > 0)
    ? `it has ${width} × ${height} pixels`
    : ![1, 3, 4].includes(channels)
      ? `it has ${channels} channels`
      : pixels > maximumPixels
        ? `it has ${width} × ${height} pixels, more than the limit of ${maximumPixels}`
        : data.length !== pixels * channels
          ? `${width} × ${height} × ${channels} values are needed, but there are ${data.length}`
          : undefined;
  if (problem !== undefined) {
    throw new DataError({
      packageName: PACKAGE_NAME,
      subject: `picture '${id}'`,
      problem,
      remedy: 'Give width, height, channels 1, 3 or 4 and as many bytes as they make, or raise maximumPixels',
    });
  }
  if (channels === 3) return { width, height, data };
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = pixel * channels;
    const opacity = channels === 4 && alpha === 'white' ? (data[at + 3] ?? 0) / 255 : 1;
    for (let channel = 0; channel < 3; channel++) {
      const value = data[channels === 1 ? at : at + channel] ?? 0;
      rgb[pixel * 3 + channel] = Math.round(255 + (value - 255) * opacity);
    }
  }
  return { width, height, data: rgb };
}
