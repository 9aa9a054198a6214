import sharp from 'sharp';
import type { RgbImage } from './resample.js';

/** Ways to write a picture, the best first; each is smaller than the one before. */
const WAYS = [
  { format: 'png', share: 1, quality: 100 },
  { format: 'webp', share: 1, quality: 80 },
  { format: 'webp', share: 1, quality: 40 },
  { format: 'webp', share: 1 / 2, quality: 60 },
  { format: 'webp', share: 1 / 4, quality: 60 },
] as const;

/**
 * A picture as a data URI of at most `most` characters: in full where it fits, else compressed, else smaller. Undefined where not
 * even a quarter of its width fits.
 */
export async function thumbnail(
  { width, height, data }: RgbImage,
  most = 24_000,
): Promise<string | undefined> {
  for (const { format, share, quality } of WAYS) {
    const pipeline = sharp(data, { raw: { width, height, channels: 3 } })
      .resize({ width: Math.max(1, Math.round(width * share)) })
      .toFormat(format, format === 'png' ? { compressionLevel: 9 } : { quality });
    const uri = `data:image/${format};base64,${(await pipeline.toBuffer()).toString('base64')}`;
    if (uri.length <= most) return uri;
  }
  return undefined;
}
