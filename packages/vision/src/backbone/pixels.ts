import { DataError } from '@dynaprompt/core';
import { float32, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { Preprocessor } from '../images/preprocessor.js';
import { createPictureLoader, type PictureLoader } from '../loading/picture-loader.js';
import type { PictureRequest, PixelSourceOptions } from '../loading/pixel-source.js';
import { PACKAGE_NAME } from '../package-name.js';
import type { VisionExample } from './example.js';

/** How a backbone gets the pixels of its examples. */
export type PixelOptions = Pick<
  PixelSourceOptions,
  'augmentation' | 'cacheBytes' | 'decode' | 'decodingBytes'
>;

/** Bytes of decoded pictures kept by default: 446 of 224 × 224 pixels, 5461 of 64 × 64. */
const CACHE_BYTES = 256 * 2 ** 20;

/** Pixels of examples as a model's input. */
export interface Pixels {
  /**
   * [B, 3, height, width]
   * @param isPlain passes over the examples' draws.
   * @throws DataError naming the first picture that cannot be used.
   */
  of(examples: readonly VisionExample[], isPlain: boolean): Promise<TensorValue>;
  /** Begins to decode; resolves when other threads go on without the JavaScript thread. */
  prepare(examples: readonly VisionExample[]): Promise<void>;
  /** Waits for pictures that are being decoded, and frees what is kept. */
  close(): Promise<void>;
}

/**
 * Pixels of examples, decoded ahead where they are asked for, kept where they are not augmented.
 * @throws ConfigurationError for augmentation options that cannot be used.
 */
export function openPixels(preprocessor: Preprocessor, options: PixelOptions): Pixels {
  const { augmentation, cacheBytes = CACHE_BYTES, decode, decodingBytes } = options;
  const loader: PictureLoader = createPictureLoader({
    preprocessor,
    cacheBytes,
    ...(augmentation && { augmentation }),
    ...(decode && { decode }),
    ...(decodingBytes === undefined ? {} : { decodingBytes }),
  });
  const { height, width } = preprocessor.config.output;
  const size = preprocessor.valuesPerPicture;
  const requestOf = (example: VisionExample, isPlain: boolean): PictureRequest =>
    isPlain || !example.draw ? { example } : { example, draw: example.draw };
  const toLoad = (examples: readonly VisionExample[]): readonly VisionExample[] =>
    examples.filter(({ pixelValues }) => pixelValues === undefined);

  return {
    async of(examples, isPlain) {
      const given = examples.map((example) => givenValues(example, size));
      const loaded = await loader.load(toLoad(examples).map((example) => requestOf(example, isPlain)));
      const all = new Float32Array(examples.length * size);
      let next = 0;
      given.forEach((values, row) => {
        all.set(values ?? loaded.subarray(next++ * size, next * size), row * size);
      });
      return float32(all, [examples.length, 3, height, width]);
    },
    async prepare(examples) {
      const wanted = toLoad(examples).map((example) => requestOf(example, false));
      if (wanted.length > 0) await loader.prefetch(wanted);
    },
    close: () => loader.close(),
  };
}

function givenValues({ id, pixelValues }: VisionExample, size: number): Float32Array | undefined {
  if (pixelValues === undefined || pixelValues.length === size) return pixelValues;
  throw new DataError({
    packageName: PACKAGE_NAME,
    subject: `picture '${id}'`,
    problem: `it brings ${pixelValues.length} pixel values, the model takes ${size}`,
    remedy: "Make them with this model's preprocessor_config.json, or leave them out",
  });
}
