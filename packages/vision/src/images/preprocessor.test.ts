import { describe, expect, test } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { encoded, encoder, maximumDifference, patterned, smooth } from './pictures.test.fixture.js';
import { decodeImage } from './decode.js';
import type { Size } from './preprocessor-config.js';
import { parsePreprocessor } from './preprocessor.js';
import { cropped, resample } from './resample.js';

const FILE = 'preprocessor_config.json';
const CLIP = { image_processor_type: 'CLIPImageProcessor', size: 32, crop_size: 32 };

test('sizes follow the shorter edge, the longer one rounded down', () => {
  const preprocessor = parsePreprocessor({ ...CLIP, size: 224, crop_size: 224 }, FILE);
  expect(preprocessor.resizedSize({ width: 500, height: 375 })).toEqual({ width: 298, height: 224 });
  expect(preprocessor.resizedSize({ width: 375, height: 500 })).toEqual({ width: 224, height: 298 });
  expect(preprocessor.resizedSize({ width: 224, height: 224 })).toEqual({ width: 224, height: 224 });
  expect(preprocessor.resizedSize({ width: 1, height: 3 })).toEqual({ width: 224, height: 672 });
});

test('pixel values are (pixel · factor − mean) / deviation, channels first', async () => {
  const image = patterned(32, 32);
  const [mean, std] = [
    [0.1, 0.2, 0.3],
    [0.4, 0.5, 0.6],
  ];
  const config = { ...CLIP, rescale_factor: 1 / 128, image_mean: mean, image_std: std };
  const values = await parsePreprocessor(config, FILE).pixelValues(image);
  const expected = Float64Array.from({ length: values.length }, (_, at) => {
    const channel = Math.floor(at / 1024);
    const pixel = image.data[(at % 1024) * 3 + channel] ?? NaN;
    return (pixel / 128 - (mean[channel] ?? NaN)) / (std[channel] ?? NaN);
  });
  expect(maximumDifference(values, expected)).toBeLessThan(2e-6);
});

test('without rescaling and normalising the values are the bytes', async () => {
  const image = patterned(32, 32);
  const config = { ...CLIP, do_rescale: false, do_normalize: false };
  const values = await parsePreprocessor(config, FILE).pixelValues(image);
  expect(values[1024 + 5]).toBe(image.data[5 * 3 + 1]);
  expect(values[2048 + 1023]).toBe(image.data[1023 * 3 + 2]);
});

describe('the centre crop', () => {
  const bytes = { ...CLIP, do_resize: false, do_rescale: false, do_normalize: false };

  test('takes the middle, the smaller half of an odd margin off above and left', async () => {
    const image = patterned(37, 33);
    const values = await parsePreprocessor(bytes, FILE).pixelValues(image);
    for (const [row, column] of [
      [0, 0],
      [31, 31],
      [7, 20],
    ] as const) {
      expect(values[row * 32 + column]).toBe(image.data[(row * 37 + column + 2) * 3]);
    }
  });

  test('pads with 0 where the picture is smaller, the larger half above and left', async () => {
    const image = { width: 29, height: 40, data: new Uint8Array(29 * 40 * 3).fill(200) };
    const values = await parsePreprocessor(bytes, FILE).pixelValues(image);
    const row = [...values.slice(0, 32)];
    expect(row).toEqual([0, 0, ...Array<number>(29).fill(200), 0]);
    expect([...values.slice(31 * 32, 32 * 32)]).toEqual(row);
  });

  test('what is padded is rescaled and normalised like black', async () => {
    const config = { ...CLIP, do_resize: false, image_mean: 0.5, image_std: 0.25 };
    const image = { width: 1, height: 1, data: new Uint8Array([255, 255, 255]) };
    const values = await parsePreprocessor(config, FILE).pixelValues(image);
    expect(values[0]).toBe(-2);
    expect(values[16 * 32 + 16]).toBe(2);
  });
});

test('resizes to the shorter edge, then crops', async () => {
  const image = smooth(90, 50);
  const config = { ...CLIP, size: 40, do_rescale: false, do_normalize: false };
  const values = await parsePreprocessor(config, FILE).pixelValues(image);
  const resized = resample(image, 72, 40, 3);
  expect(values[0]).toBe(resized.data[(4 * 72 + 20) * 3]);
  expect(values[1023]).toBe(resized.data[(35 * 72 + 51) * 3]);
});

test('a picture decoded smaller gives nearly the same values', async () => {
  const image = smooth(1200, 900);
  const preprocessor = parsePreprocessor({ ...CLIP, do_rescale: false, do_normalize: false }, FILE);
  for (const bytes of [
    await encoder(image).jpeg({ quality: 95 }).toBuffer(),
    await encoder(image).png().toBuffer(),
  ]) {
    const options = {
      target: (natural: Size) => preprocessor.resizedSize(natural),
      fullDecodePixels: 10_000,
    };
    const small = await decodeImage(encoded(bytes), options);
    expect(small.width * small.height).toBeLessThan(50_000);
    expect(small.width).toBeGreaterThanOrEqual(4 * 42);
    const whole = await decodeImage(encoded(bytes));
    expect(whole.width).toBe(1200);
    const [fromSmall, fromWhole] = [
      await preprocessor.pixelValues(small),
      await preprocessor.pixelValues(whole),
    ];
    expect(maximumDifference(fromSmall, fromWhole)).toBeLessThanOrEqual(3);
  }
});

test('a picture one pixel wide is no special case', async () => {
  for (const resizer of ['pillow', 'transformers.js'] as const) {
    const values = await parsePreprocessor(CLIP, FILE, { resizer }).pixelValues(patterned(1, 90));
    expect(values).toHaveLength(3 * 32 * 32);
    expect(values.every(Number.isFinite)).toBe(true);
  }
});

test('a picture that would be huge after the resize is cropped at once, or refused', async () => {
  const line = patterned(1, 100_000);
  const values = await parsePreprocessor(CLIP, FILE).pixelValues(line);
  // A filter reaches two source pixels: the twenty in the middle are enough for the crop.
  const middle = cropped(line, { left: 0, top: 49_990, width: 1, height: 20 });
  expect(values).toEqual(await parsePreprocessor(CLIP, FILE).pixelValues(middle));
  const slow = parsePreprocessor(CLIP, FILE, { resizer: 'transformers.js' });
  await expect(slow.pixelValues(line)).rejects.toThrow(DataError);
});
