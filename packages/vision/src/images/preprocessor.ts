import { centerCrop, padded, resizedSize } from './geometry.js';
import { parsePreprocessorConfig, readPreprocessorConfig } from './preprocessor-config.js';
import type { PreprocessorConfig, Size } from './preprocessor-config.js';
import { cropped, resample, type RgbImage } from './resample.js';
import { resizeAsTransformersJs, transformersJsSize } from './transformers-js-resize.js';

/**
 * Whose resize is repeated. `pillow`: transformers' (Python), bit for bit, which the published backbones were trained with.
 * `transformers.js`: that library's in Node, for a prompt that will be served there.
 */
export type Resizer = 'pillow' | 'transformers.js';

/** Turns decoded pictures into the input of one model. */
export interface Preprocessor {
  readonly config: PreprocessorConfig;
  /** Values of one picture: 3 · height · width. */
  readonly valuesPerPicture: number;
  /** Size that a picture of this size is resized to before the crop, for {@link DecodeOptions.target}. */
  resizedSize(natural: Size): Size;
  /** pixel_values of a picture, [3, height, width]: resized, cropped, rescaled, normalised as the config says. */
  pixelValues(image: RgbImage): Promise<Float32Array>;
  /** The last two of these steps, for a picture that already has the output's size: [height, width, 3] → [3, height, width]. */
  normalised(image: RgbImage): Float32Array;
}

/** Options of {@link createPreprocessor}. */
export interface PreprocessorOptions {
  /** Default `pillow`. */
  readonly resizer?: Resizer;
}

/** A preprocessor for a resolved config. */
export function createPreprocessor(
  config: PreprocessorConfig,
  { resizer = 'pillow' }: PreprocessorOptions = {},
): Preprocessor {
  const table = normalisedBytes(config);
  const { output } = config;
  const asPillow = (image: RgbImage): RgbImage => {
    const { width, height } = resizedSize(config, image);
    const crop = centerCrop({ width, height }, output, 'ceil');
    // Only the crop is computed: a picture far longer than wide would become huge.
    return padded(resample(image, width, height, config.resample, { window: crop.part }), crop);
  };
  const asTransformersJs = async (image: RgbImage): Promise<RgbImage> => {
    const size = transformersJsSize(config, image);
    const resized = await resizeAsTransformersJs(image, size, config.resample);
    const crop = centerCrop(resized, output, 'floor');
    return padded(cropped(resized, crop.part), crop);
  };
  return {
    config,
    valuesPerPicture: 3 * output.height * output.width,
    resizedSize: (natural) => resizedSize(config, natural),
    async pixelValues(image) {
      return toPlanes(resizer === 'pillow' ? asPillow(image) : await asTransformersJs(image), table);
    },
    normalised: (image) => toPlanes(image, table),
  };
}

/**
 * A preprocessor for a preprocessor_config.json.
 * @param options `family`: processor to assume where the file names none, e.g. `ViT`.
 * @throws ModelError for a file that cannot be used.
 */
export function readPreprocessor(
  file: string,
  options: PreprocessorOptions & { readonly family?: string } = {},
): Preprocessor {
  return createPreprocessor(readPreprocessorConfig(file, options.family), options);
}

/** A preprocessor for the content of a preprocessor_config.json; `subject` names it in errors. */
export function parsePreprocessor(
  json: unknown,
  subject: string,
  options: PreprocessorOptions & { readonly family?: string } = {},
): Preprocessor {
  return createPreprocessor(parsePreprocessorConfig(json, subject, options.family), options);
}

/** What each byte becomes in each channel, [3, 256]; rounded to single precision after each step, as numpy does. */
function normalisedBytes({ rescaleFactor, mean, std }: PreprocessorConfig): Float32Array {
  return Float32Array.from({ length: 3 * 256 }, (_, index) => {
    const channel = index >> 8;
    const rescaled = Math.fround((index & 255) * rescaleFactor);
    const centred = Math.fround(rescaled - Math.fround(mean[channel] ?? 0));
    return centred / Math.fround(std[channel] ?? 1);
  });
}

/** [height, width, 3] → [3, height, width] */
function toPlanes({ width, height, data }: RgbImage, table: Float32Array): Float32Array {
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let pixel = 0, at = 0; pixel < plane; pixel++, at += 3) {
    values[pixel] = table[data[at] ?? 0] ?? 0;
    values[plane + pixel] = table[256 + (data[at + 1] ?? 0)] ?? 0;
    values[2 * plane + pixel] = table[512 + (data[at + 2] ?? 0)] ?? 0;
  }
  return values;
}
