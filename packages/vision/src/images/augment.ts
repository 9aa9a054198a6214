import { ConfigurationError, stream, type RandomStream } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { adjustColours, type ColourAdjustment } from './colour.js';
import type { Size } from './preprocessor-config.js';
import { resample, type Box, type ResampleCode, type RgbImage } from './resample.js';

/** Random changes of training pictures, with torchvision's names, distributions and defaults. */
export interface AugmentationOptions {
  /** Share of the picture's area that a crop takes, uniform. Default [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** Width over height of a crop, uniform in its logarithm. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
  /** Probability of a horizontal flip. Default 0.5. */
  readonly flip?: number;
  /** A factor is uniform in [max(0, 1 − x), 1 + x]; 0 leaves the colours alone. Defaults 0. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
}

/** Which draw of a run: nothing else decides what happens to a picture. */
export interface AugmentationDraw {
  readonly seed: number;
  readonly epoch: number;
  /** Index of the example within its data set. */
  readonly index: number;
}

/** What happens to one picture. */
export interface Augmentation {
  readonly crop: Box;
  readonly flip: boolean;
  /** In this order. */
  readonly colours: readonly ColourAdjustment[];
}

const CROP_ATTEMPTS = 10;
const SCALE = [0.08, 1] as const;
const RATIO = [3 / 4, 4 / 3] as const;
const COLOURS = ['brightness', 'contrast', 'saturation'] as const;

/**
 * Checks augmentation options.
 * @throws ConfigurationError that names the option.
 */
export function checkAugmentation(options: AugmentationOptions): void {
  const refuse = (name: string, value: unknown, remedy: string) =>
    new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: `augmentation.${name}`,
      problem: `${JSON.stringify(value)} cannot be used`,
      remedy,
    });
  const { scale = SCALE, ratio = RATIO, flip = 0.5 } = options;
  const rising = ([low, high]: readonly [number, number]) => low > 0 && low <= high && Number.isFinite(high);
  if (!rising(scale) || scale[1] > 1) throw refuse('scale', scale, 'Give 0 < smallest ≤ largest ≤ 1');
  if (!rising(ratio)) throw refuse('ratio', ratio, 'Give 0 < smallest ≤ largest');
  if (!(flip >= 0 && flip <= 1)) throw refuse('flip', flip, 'Give a probability');
  for (const name of COLOURS) {
    const strength = options[name] ?? 0;
    if (!(strength >= 0 && Number.isFinite(strength)))
      throw refuse(name, strength, 'Give a number from 0 on');
  }
}

/** What happens to a picture of this size: a pure function of its arguments, in whatever order pictures are decoded. */
export function drawAugmentation(
  options: AugmentationOptions,
  { seed, epoch, index }: AugmentationDraw,
  size: Size,
): Augmentation {
  const random = stream(seed, `augmentation/${epoch}/${index}`);
  const crop = drawCrop(options, random.substream('crop'), size);
  const flip = random.substream('flip').uniform() < (options.flip ?? 0.5);
  const colours = random.substream('colours');
  const adjustments = COLOURS.flatMap((kind) => {
    const strength = options[kind] ?? 0;
    const factor = between(colours, Math.max(0, 1 - strength), 1 + strength);
    return strength === 0 ? [] : [{ kind, factor }];
  });
  return { crop, flip, colours: colours.shuffle(adjustments) };
}

/** The crop, resized to `output`, flipped and recoloured. */
export function augment(
  image: RgbImage,
  { crop, flip, colours }: Augmentation,
  output: Size,
  code: ResampleCode,
): RgbImage {
  const resized = resample(image, output.width, output.height, code, { box: crop });
  if (flip) flipRows(resized);
  return colours.reduce(adjustColours, resized);
}

/** Size at which the smallest crop that {@link drawAugmentation} tries is as large as `output`. */
export function augmentationTarget(
  options: AugmentationOptions,
  { width, height }: Size,
  output: Size,
): Size {
  const smallest = width * height * (options.scale ?? SCALE)[0];
  const [narrowest, widest] = options.ratio ?? RATIO;
  return {
    width: Math.ceil((output.width * width) / Math.sqrt(smallest * narrowest)),
    height: Math.ceil((output.height * height) / Math.sqrt(smallest / widest)),
  };
}

/** RandomResizedCrop.get_params of torchvision: ten tries, then the largest centred box within the ratios. */
function drawCrop(options: AugmentationOptions, random: RandomStream, { width, height }: Size): Box {
  const [smallest, largest] = options.scale ?? SCALE;
  const [narrowest, widest] = options.ratio ?? RATIO;
  for (let attempt = 0; attempt < CROP_ATTEMPTS; attempt++) {
    const area = width * height * between(random, smallest, largest);
    const ratio = Math.exp(between(random, Math.log(narrowest), Math.log(widest)));
    const cropWidth = Math.round(Math.sqrt(area * ratio));
    const cropHeight = Math.round(Math.sqrt(area / ratio));
    if (cropWidth < 1 || cropWidth > width || cropHeight < 1 || cropHeight > height) continue;
    const top = random.integer(height - cropHeight + 1);
    const left = random.integer(width - cropWidth + 1);
    return { left, top, width: cropWidth, height: cropHeight };
  }
  const ratio = width / height;
  const boxWidth = ratio > widest ? Math.max(1, Math.round(height * widest)) : width;
  const boxHeight = ratio < narrowest ? Math.max(1, Math.round(width / narrowest)) : height;
  const box = { width: Math.min(boxWidth, width), height: Math.min(boxHeight, height) };
  return { left: (width - box.width) >> 1, top: (height - box.height) >> 1, ...box };
}

function between(random: RandomStream, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

function flipRows({ width, height, data }: RgbImage): void {
  for (let row = 0; row < height; row++) {
    for (let left = row * width, right = left + width - 1; left < right; left++, right--) {
      for (let channel = 0; channel < 3; channel++) {
        const other = data[right * 3 + channel] ?? 0;
        data[right * 3 + channel] = data[left * 3 + channel] ?? 0;
        data[left * 3 + channel] = other;
      }
    }
  }
}
