import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { AutoImageProcessor, RawImage } from '@huggingface/transformers';
import { maximumDifference, meanDifference, patterned, smooth } from './pictures.test.fixture.js';
import { parsePreprocessor, type Resizer } from './preprocessor.js';
import type { RgbImage } from './resample.js';

const CLIP = {
  image_processor_type: 'CLIPImageProcessor',
  do_resize: true,
  size: { shortest_edge: 64 },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: 64, width: 64 },
  do_rescale: true,
  rescale_factor: 0.00392156862745098,
  do_normalize: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const CONFIGS = {
  clip: CLIP,
  'dinov2 (edge 73, crop 64)': {
    ...CLIP,
    image_processor_type: 'BitImageProcessor',
    size: { shortest_edge: 73 },
  },
  'crop larger than the picture': {
    ...CLIP,
    size: { shortest_edge: 41 },
    crop_size: { height: 64, width: 96 },
  },
  vit: {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { height: 64, width: 48 },
    resample: 2,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  },
  'siglip, nearest': {
    image_processor_type: 'SiglipImageProcessor',
    size: { height: 56, width: 56 },
    resample: 0,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  },
  'deit, lanczos': {
    image_processor_type: 'DeiTFeatureExtractor',
    size: { height: 73, width: 73 },
    resample: 1,
    do_center_crop: true,
    crop_size: 64,
    do_normalize: false,
  },
  'convnext, crop_pct': {
    image_processor_type: 'ConvNextImageProcessor',
    size: { shortest_edge: 64 },
    crop_pct: 0.875,
    resample: 3,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  },
};
const SIZES = [
  [64, 64],
  [100, 75],
  [75, 100],
  [333, 91],
  [31, 200],
  [40, 40],
  [257, 256],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'vision-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function reference(config: object, { data, width, height }: RgbImage): Promise<Float32Array> {
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
  const processor = await AutoImageProcessor.from_pretrained(folder, { local_files_only: true });
  const { pixel_values: values } = (await processor(new RawImage(data.slice(), width, height, 3))) as {
    pixel_values: { data: Float32Array };
  };
  return values.data;
}

/** In levels of 255: what rescaling and normalising made of a difference is undone. */
async function differences(config: object, image: RgbImage, resizer: Resizer) {
  const preprocessor = parsePreprocessor(config, 'preprocessor_config.json', { resizer });
  const { rescaleFactor, std } = preprocessor.config;
  const toLevels = (values: Float32Array) => {
    const plane = values.length / 3;
    return values.map((value, at) => (value * (std[Math.floor(at / plane)] ?? NaN)) / rescaleFactor);
  };
  const ours = toLevels(await preprocessor.pixelValues(image));
  const theirs = toLevels(await reference(config, image));
  return { maximum: maximumDifference(ours, theirs), mean: meanDifference(ours, theirs) };
}

describe.each(Object.entries(CONFIGS))('%s', (name, config) => {
  // transformers.js fails where one side has to be cropped and the other padded.
  const sizes = name.startsWith('crop larger') ? SIZES.filter(([w, h]) => Math.abs(w - h) < 30) : SIZES;
  test.each(sizes)(
    "the resizer 'transformers.js' gives that library's pixel values, %i × %i",
    async (w, h) => {
      for (const image of [patterned(w, h), smooth(w, h)]) {
        expect((await differences(config, image, 'transformers.js')).maximum).toBeLessThan(1e-3);
      }
    },
  );
});

test('without a resize the default gives that library’s pixel values too', async () => {
  expect((await differences(CLIP, patterned(64, 64), 'pillow')).maximum).toBeLessThan(1e-3);
  const padded = { ...CLIP, do_resize: false, crop_size: 70 };
  expect((await differences(padded, patterned(64, 64), 'pillow')).maximum).toBeLessThan(1e-3);
  const cropped = { ...CLIP, do_resize: false, crop_size: 33 };
  expect((await differences(cropped, patterned(64, 64), 'pillow')).maximum).toBeLessThan(1e-3);
});

test('a proper Lanczos resize is close to the default where the picture holds no detail', async () => {
  const { maximum, mean } = await differences(CONFIGS['deit, lanczos'], smooth(257, 256), 'pillow');
  expect(maximum).toBeLessThanOrEqual(2.001);
  expect(mean).toBeLessThan(0.25);
});

test('that library aliases where the default averages: stripes of one pixel, shrunk fourfold', async () => {
  const stripes = patterned(256, 256);
  stripes.data.forEach((_, at) => {
    stripes.data[at] = Math.floor(at / 3) % 2 === 0 ? 0 : 255;
  });
  const config = { ...CLIP, do_normalize: false };
  const preprocessor = parsePreprocessor(config, 'preprocessor_config.json');
  const ours = await preprocessor.pixelValues(stripes);
  const theirs = await reference(config, stripes);
  // Away from the border, where the filter is cut.
  const middle = (values: Float32Array) => [...values.slice(64 * 10 + 10, 64 * 10 + 54)];
  for (const value of middle(ours)) expect(Math.abs(value - 0.5)).toBeLessThan(0.01);
  for (const value of middle(theirs)) expect(Math.abs(value - 0.5)).toBeGreaterThan(0.4);
});
