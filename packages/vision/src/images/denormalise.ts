import type { PreprocessorConfig } from './preprocessor-config.js';
import type { RgbImage } from './resample.js';

/**
 * The picture that pixel_values [3, height, width] were made from, once it was resized and cropped: v · std + mean over the factor,
 * rounded and cut to 0 … 255.
 */
export function denormalised(
  values: Float32Array,
  { output, rescaleFactor, mean, std }: Pick<PreprocessorConfig, 'output' | 'rescaleFactor' | 'mean' | 'std'>,
): RgbImage {
  const { width, height } = output;
  const plane = width * height;
  const data = new Uint8Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const [shift, scale] = [mean[channel] ?? 0, std[channel] ?? 1];
    for (let pixel = 0; pixel < plane; pixel++) {
      const level = ((values[channel * plane + pixel] ?? 0) * scale + shift) / rescaleFactor;
      data[3 * pixel + channel] = Math.min(255, Math.max(0, Math.round(level)));
    }
  }
  return { width, height, data };
}
