import type { RgbImage } from './resample.js';

/** One step of a colour jitter; factor 1 changes nothing. */
export interface ColourAdjustment {
  readonly kind: 'brightness' | 'contrast' | 'saturation';
  readonly factor: number;
}

/**
 * Moves a picture away from (factor above 1) or towards (below 1) black, its mean grey, or its own grey version: Pillow's
 * ImageEnhance, which torchvision's ColorJitter uses.
 */
export function adjustColours(image: RgbImage, { kind, factor }: ColourAdjustment): RgbImage {
  const { data } = image;
  const result = new Uint8Array(data.length);
  const mean = kind === 'contrast' ? meanGrey(data) : 0;
  for (let at = 0; at < data.length; at += 3) {
    const base = kind === 'saturation' ? greyAt(data, at) : mean;
    for (let channel = at; channel < at + 3; channel++) {
      const value = Math.fround(base + Math.fround(factor) * ((data[channel] ?? 0) - base));
      result[channel] = value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
    }
  }
  return { ...image, data: result };
}

/** ITU-R 601 luma in 16-bit fixed point. */
function greyAt(data: Uint8Array, at: number): number {
  const [red = 0, green = 0, blue = 0] = [data[at], data[at + 1], data[at + 2]];
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

function meanGrey(data: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < data.length; at += 3) total += greyAt(data, at);
  return Math.trunc(total / (data.length / 3) + 0.5);
}
