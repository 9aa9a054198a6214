import type { ImageExample } from '@dynaprompt/core';
import {
  augment,
  augmentationTarget,
  checkAugmentation,
  drawAugmentation,
  type AugmentationOptions,
} from '../images/augment.js';
import { decodeImage, type DecodeOptions } from '../images/decode.js';
import type { Preprocessor } from '../images/preprocessor.js';
import { createMemoryGate } from './memory-gate.js';
import { createPixelCache } from './pixel-cache.js';

/** A picture to be loaded. */
export interface PictureRequest {
  readonly example: ImageExample;
  /** Which draw of the augmentation, see {@link AugmentationDraw}; absent where the picture is wanted as it is. */
  readonly draw?: { readonly epoch: number; readonly index: number };
}

/** How pictures become pixel values. */
export interface PixelSourceOptions {
  readonly preprocessor: Preprocessor;
  /** Limits of decoding. */
  readonly decode?: Omit<DecodeOptions, 'target' | 'reserve' | 'onDecoding'>;
  /** For requests with a draw. */
  readonly augmentation?: AugmentationOptions & { readonly seed: number };
  /** Bytes of pixel values that are kept for the next time; those of augmented pictures never are. Default 0. */
  readonly cacheBytes?: number;
  /** Bytes of decoded pictures that may be in memory at a time. Default 512 MiB. */
  readonly decodingBytes?: number;
}

/** Makes pixel values of pictures. */
export interface PixelSource {
  /** Pictures decoded so far, and requests that were answered from the cache. */
  readonly counts: { readonly decoded: number; readonly cached: number };
  /**
   * Pixel values of one picture, [3, height, width]; not to be written to.
   * @param onUnderway told once when decoding needs the JavaScript thread no more, or waits for memory.
   * @throws DataError that names the picture.
   */
  pixelValues(request: PictureRequest, signal: AbortSignal, onUnderway: () => void): Promise<Float32Array>;
  /** Empties the cache. */
  clear(): void;
}

/**
 * A source of pixel values.
 * @throws ConfigurationError for augmentation options that cannot be used.
 */
export function createPixelSource(options: PixelSourceOptions): PixelSource {
  const { preprocessor, augmentation } = options;
  if (augmentation) checkAugmentation(augmentation);
  const cache = createPixelCache(options.cacheBytes ?? 0);
  const gate = createMemoryGate(options.decodingBytes ?? 512 * 2 ** 20);
  const counts = { decoded: 0, cached: 0 };

  const decodeAndConvert = async (
    { example, draw }: PictureRequest,
    signal: AbortSignal,
    onUnderway: () => void,
  ): Promise<Float32Array> => {
    let reserved = 0;
    const reserve = async (bytes: number) => {
      if (!gate.hasRoom(bytes)) onUnderway();
      await gate.acquire(bytes);
      reserved = bytes;
      signal.throwIfAborted();
    };
    try {
      const augmented = augmentation && draw;
      const { output, resample } = preprocessor.config;
      const image = await decodeImage(example, {
        ...options.decode,
        target: (natural) =>
          augmented ? augmentationTarget(augmentation, natural, output) : preprocessor.resizedSize(natural),
        reserve,
        onDecoding: onUnderway,
      });
      counts.decoded++;
      if (!augmented) return await preprocessor.pixelValues(image);
      const drawn = drawAugmentation(augmentation, { ...draw, seed: augmentation.seed }, image);
      return preprocessor.normalised(augment(image, drawn, output, resample));
    } finally {
      if (reserved > 0) gate.release(reserved);
    }
  };

  return {
    counts,
    async pixelValues(request, signal, onUnderway) {
      signal.throwIfAborted();
      const { image } = request.example;
      // By path or by object: ids of two data sets may be alike.
      const key = image.kind === 'file' ? image.path : image;
      const augmented = augmentation !== undefined && request.draw !== undefined;
      const kept = augmented ? undefined : cache.get(key);
      if (kept) {
        counts.cached++;
        return kept;
      }
      const values = await decodeAndConvert(request, signal, onUnderway);
      if (!augmented) cache.set(key, values);
      return values;
    },
    clear() {
      cache.clear();
    },
  };
}
