import sharp, { type Metadata, type Sharp } from 'sharp';
import { DataError, type ImageExample } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { fromPixels } from './pixels.js';
import { readPicture } from './read-picture.js';
import { reasonOf } from './reason.js';
import type { RgbImage } from './resample.js';
import type { Size } from './preprocessor-config.js';

/** Limits and choices of {@link decodeImage}. */
export interface DecodeOptions {
  /** A picture with more pixels is refused. Default 300 million. */
  readonly maximumPixels?: number;
  /** A larger file is refused. Default 512 MiB. */
  readonly maximumFileBytes?: number;
  /**
   * A picture with more pixels may be decoded smaller, but never below four times the {@link target}: the resize that follows
   * then differs by a few levels of 255 at most. Default 4 million.
   */
  readonly fullDecodePixels?: number;
  /**
   * `drop` takes the colours and ignores transparency, as the image processors of transformers do; `white` puts the picture on
   * white. An SVG is always put on white: there is no colour beneath its transparency. Default `drop`.
   */
  readonly alpha?: 'drop' | 'white';
  /** Size that a picture of this size will be resized to: what an SVG is drawn for and a huge picture may be reduced for. */
  readonly target?: (natural: Size) => Size;
  /** Asked before the pixels are decoded, with the bytes they take; decoding waits for it. */
  readonly reserve?: (bytes: number) => Promise<void>;
  /** Told when decoding has been handed to a thread: from here on it needs nothing from the JavaScript thread. */
  readonly onDecoding?: () => void;
}

/** Side of the reduced picture over side of the target, at least. */
const REDUCTION_MARGIN = 4;
/** Pixels per inch at which an SVG has its natural size, and the bounds that sharp accepts. */
const SVG_DENSITY = { natural: 72, lowest: 1, highest: 100_000 };

/**
 * Decodes a picture to 8-bit RGB, upright (its EXIF orientation applied, as transformers and transformers.js do when they load a
 * file), the first frame of an animation, colours in sRGB (CMYK and embedded profiles converted), the high byte of 16-bit samples.
 *
 * @throws DataError that names the example: no such file, no picture, truncated, beyond a limit.
 */
export async function decodeImage(example: ImageExample, options: DecodeOptions = {}): Promise<RgbImage> {
  const maximumPixels = options.maximumPixels ?? 300_000_000;
  const { image, id } = example;
  if (image.kind === 'pixels') {
    const decoded = fromPixels(image, id, maximumPixels, options.alpha ?? 'drop');
    await options.reserve?.(decoded.data.length);
    options.onDecoding?.();
    return decoded;
  }
  const bytes = await readPicture(image, id, options.maximumFileBytes ?? 512 * 2 ** 20);
  const metadata = await headerOf(bytes, id);
  const natural = uprightSize(metadata, id);
  const isSvg = metadata.format === 'svg';
  const density = isSvg ? svgDensity(natural, options.target?.(natural) ?? natural) : undefined;
  const drawn = density === undefined ? natural : scaled(natural, density / SVG_DENSITY.natural);
  if (Math.max(natural.width * natural.height, drawn.width * drawn.height) > maximumPixels) {
    throw problemWith(
      id,
      `it has ${drawn.width} × ${drawn.height} pixels, more than the limit of ${maximumPixels}`,
      'Scale the picture down, or raise maximumPixels',
    );
  }
  let pipeline = sharp(bytes, {
    failOn: 'error',
    limitInputPixels: Math.ceil(maximumPixels * 1.01) + 4096, // an SVG is drawn in whole pixels
    ...(density === undefined ? {} : { density }),
  }).autoOrient();
  const reduced = isSvg ? natural : reducedSize(natural, options);
  if (reduced !== natural) pipeline = pipeline.resize({ ...reduced, fit: 'fill', kernel: 'lanczos3' });
  pipeline = isSvg || options.alpha === 'white' ? pipeline.flatten({ background: '#fff' }) : pipeline;
  await options.reserve?.(drawn.width * drawn.height * 3);
  const decoding = toRgb(pipeline, id);
  options.onDecoding?.();
  return await decoding;
}

async function toRgb(pipeline: Sharp, id: string): Promise<RgbImage> {
  const raw = pipeline.removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' });
  const { data, info } = await raw.toBuffer({ resolveWithObject: true }).catch((cause: unknown) => {
    throw damaged(id, cause);
  });
  if (data.length !== info.width * info.height * 3) {
    const problem = `it has ${info.channels} colour channels`;
    throw problemWith(id, problem, 'Convert it to an RGB picture');
  }
  return { width: info.width, height: info.height, data };
}

async function headerOf(bytes: Uint8Array, id: string): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false, failOn: 'error' }).metadata();
  } catch (cause) {
    throw damaged(id, cause);
  }
}

function damaged(id: string, cause: unknown): DataError {
  const problem = `it is damaged or no picture that can be read (${reasonOf(cause)})`;
  return problemWith(
    id,
    problem,
    'Replace the file with a whole JPEG, PNG, WebP, GIF, TIFF, AVIF or SVG',
    cause,
  );
}

function uprightSize({ autoOrient }: Metadata, id: string): Size {
  const { width, height } = autoOrient;
  if (width > 0 && height > 0) return { width, height };
  throw problemWith(id, `it has ${width} × ${height} pixels`, 'Replace the picture');
}

/** Density at which an SVG covers the target. */
function svgDensity(natural: Size, target: Size): number {
  const factor = Math.max(target.width / natural.width, target.height / natural.height);
  const density = SVG_DENSITY.natural * factor;
  return Math.min(SVG_DENSITY.highest, Math.max(SVG_DENSITY.lowest, density));
}

function scaled({ width, height }: Size, factor: number): Size {
  return { width: Math.ceil(width * factor), height: Math.ceil(height * factor) };
}

/** `natural` itself where the picture is to be decoded in full. */
function reducedSize(natural: Size, { fullDecodePixels = 4_000_000, target }: DecodeOptions): Size {
  if (!target || natural.width * natural.height <= fullDecodePixels) return natural;
  const { width, height } = target(natural);
  const margin = Math.min(natural.width / width, natural.height / height) / REDUCTION_MARGIN;
  return margin <= 1 ? natural : scaled(natural, 1 / margin);
}

function problemWith(id: string, problem: string, remedy: string, cause?: unknown): DataError {
  return new DataError({ packageName: PACKAGE_NAME, subject: `picture '${id}'`, problem, remedy, cause });
}
