import sharp from 'sharp';
import { DataError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import type { PreprocessorConfig, Size } from './preprocessor-config.js';
import type { ResampleCode, RgbImage } from './resample.js';

/** The whole picture is resized before the crop: one far longer than wide becomes too large. */
const MAXIMUM_PIXELS = 2 ** 26;

/**
 * Resizes as transformers.js does in Node: an affine map that interpolates between the nearest pixels without widening the filter
 * (a picture shrunk more than twofold aliases) and keeps the top left pixel's centre, not its corner, in place. Lanczos is a proper
 * resize there; box and Hamming are taken as bilinear.
 */
export async function resizeAsTransformersJs(
  image: RgbImage,
  size: Size,
  code: ResampleCode,
): Promise<RgbImage> {
  if (image.width === size.width && image.height === size.height) return image;
  if (size.width * size.height > MAXIMUM_PIXELS) throw cannotResize(image, size);
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const source = sharp(image.data, { raw, limitInputPixels: false });
  const mapped =
    code === 1
      ? source.resize({ ...size, fit: 'fill', kernel: 'lanczos3' })
      : source.affine([size.width / image.width, 0, 0, size.height / image.height], {
          interpolator: code === 0 ? 'nearest' : code === 3 ? 'bicubic' : 'bilinear',
        });
  const { data, info } = await mapped
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw cannotResize(image, size, cause);
    });
  return { width: info.width, height: info.height, data };
}

/** Size that transformers.js resizes to: the longer edge rounded to hundredths first, then down. */
export function transformersJsSize({ resize }: PreprocessorConfig, { width, height }: Size): Size {
  if (!resize) return { width, height };
  if ('height' in resize) return resize;
  const factor = Math.max(resize.shortestEdge / width, resize.shortestEdge / height);
  const side = (length: number) => Math.floor(Number((length * factor).toFixed(2)));
  return { width: side(width), height: side(height) };
}

function cannotResize(image: Size, size: Size, cause?: unknown): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: `picture of ${image.width} × ${image.height} pixels`,
    problem: `it cannot be resized to ${size.width} × ${size.height}`,
    remedy: "Leave the picture out, or use the resizer 'pillow'",
    cause,
  });
}
