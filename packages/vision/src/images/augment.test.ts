import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '@dynaprompt/core';
import {
  augment,
  augmentationTarget,
  checkAugmentation,
  drawAugmentation,
  type AugmentationOptions,
} from './augment.js';
import { adjustColours } from './colour.js';
import { patterned } from './pictures.test.fixture.js';
import { cropped, resample } from './resample.js';

const SIZE = { width: 500, height: 375 };
const DRAWS = 2000;

function draws(options: AugmentationOptions, size = SIZE, count = DRAWS) {
  const seed = 1;
  return Array.from({ length: count }, (_, index) =>
    drawAugmentation(options, { seed, epoch: 0, index }, size),
  );
}

/** Largest distance between the distribution of the samples and the uniform one (Kolmogorov and Smirnov). */
function distanceFromUniform(samples: readonly number[], low: number, high: number): number {
  const sorted = [...samples].sort((left, right) => left - right);
  return Math.max(
    ...sorted.map((value, rank) => {
      const expected = (value - low) / (high - low);
      return Math.max(Math.abs(expected - rank / DRAWS), Math.abs(expected - (rank + 1) / DRAWS));
    }),
  );
}

/** Exceeded by one in ten thousand samples of a true uniform distribution. */
const CRITICAL = Math.sqrt(-Math.log(0.5e-4) / 2 / DRAWS);

describe('the crop', () => {
  // On a square, with these bounds, the first try always fits: no draw is rejected.
  const square = { width: 1000, height: 1000 };
  const crops = draws({ scale: [0.1, 0.5] }, square).map(({ crop }) => crop);

  test('takes a uniform share of the area', () => {
    const shares = crops.map(({ width, height }) => (width * height) / 1e6);
    expect(distanceFromUniform(shares, 0.1, 0.5)).toBeLessThan(CRITICAL);
  });

  test('has a ratio that is uniform in its logarithm', () => {
    const ratios = crops.map(({ width, height }) => Math.log(width / height));
    expect(distanceFromUniform(ratios, Math.log(3 / 4), Math.log(4 / 3))).toBeLessThan(CRITICAL);
  });

  test('lies anywhere', () => {
    const lefts = crops.map(({ left, width }) => (left + 0.5) / (square.width - width + 1));
    const tops = crops.map(({ top, height }) => (top + 0.5) / (square.height - height + 1));
    expect(distanceFromUniform(lefts, 0, 1)).toBeLessThan(CRITICAL);
    expect(distanceFromUniform(tops, 0, 1)).toBeLessThan(CRITICAL);
  });

  test.each([
    [1, 1],
    [2, 900],
    [900, 2],
    [500, 375],
    [3, 4],
  ])('stays within a picture of %i × %i', (width, height) => {
    for (const { crop } of draws({}, { width, height }, 300)) {
      expect(Math.min(crop.left, crop.top)).toBeGreaterThanOrEqual(0);
      expect(Math.min(crop.width, crop.height)).toBeGreaterThanOrEqual(1);
      expect(crop.left + crop.width).toBeLessThanOrEqual(width);
      expect(crop.top + crop.height).toBeLessThanOrEqual(height);
    }
  });

  test('falls back to the largest centred box of an allowed ratio', () => {
    const [drawn] = draws({ scale: [1, 1], ratio: [1, 1] }, { width: 300, height: 100 }, 1);
    expect(drawn?.crop).toEqual({ left: 100, top: 0, width: 100, height: 100 });
    const [upright] = draws({ scale: [1, 1], ratio: [2, 2] }, { width: 100, height: 100 }, 1);
    expect(upright?.crop).toEqual({ left: 0, top: 25, width: 100, height: 50 });
  });

  test('is as large as the output where a picture was reduced for it', () => {
    const output = { width: 64, height: 64 };
    const options = { scale: [0.25, 1] as const };
    const target = augmentationTarget(options, { width: 4000, height: 3000 }, output);
    const smallest = draws(options, target, 500).map(({ crop }) => Math.min(crop.width, crop.height));
    expect(Math.min(...smallest)).toBeGreaterThanOrEqual(63);
    expect(target.width).toBeLessThan(400);
  });
});

test('half the pictures are flipped, or as many as asked', () => {
  const share = (flip: number) => draws({ flip }).filter((drawn) => drawn.flip).length / DRAWS;
  expect(Math.abs(share(0.5) - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / DRAWS));
  expect(Math.abs(share(0.1) - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / DRAWS));
  expect(share(0)).toBe(0);
  expect(share(1)).toBe(1);
});

test('colour factors are uniform around 1, in any order', () => {
  const drawn = draws({ brightness: 0.4, saturation: 1.5 }).map(({ colours }) => colours);
  const factors = (kind: string) =>
    drawn.map((colours) => colours.find((c) => c.kind === kind)?.factor ?? NaN);
  expect(distanceFromUniform(factors('brightness'), 0.6, 1.4)).toBeLessThan(CRITICAL);
  expect(distanceFromUniform(factors('saturation'), 0, 2.5)).toBeLessThan(CRITICAL);
  expect(drawn.every((colours) => colours.length === 2)).toBe(true);
  const first = drawn.filter(([colour]) => colour?.kind === 'brightness').length / DRAWS;
  expect(Math.abs(first - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / DRAWS));
});

test('a draw depends on seed, epoch and index, and on nothing else', () => {
  const options = { brightness: 0.4 };
  const at = (seed: number, epoch: number, index: number) =>
    drawAugmentation(options, { seed, epoch, index }, SIZE);
  const forwards = Array.from({ length: 50 }, (_, index) => at(3, 2, index));
  const backwards = Array.from({ length: 50 }, (_, index) => at(3, 2, 49 - index)).reverse();
  expect(backwards).toEqual(forwards);
  expect(at(3, 2, 0)).not.toEqual(at(3, 2, 1));
  expect(at(3, 2, 0)).not.toEqual(at(3, 1, 0));
  expect(at(3, 2, 0)).not.toEqual(at(4, 2, 0));
  // Neighbouring examples and epochs are not alike.
  const lefts = (epoch: number) => Array.from({ length: DRAWS }, (_, index) => at(3, epoch, index).crop.left);
  const [first, second] = [lefts(0), lefts(1)];
  expect(Math.abs(correlation(first, second))).toBeLessThan(4 / Math.sqrt(DRAWS));
  expect(Math.abs(correlation(first.slice(1), first.slice(0, -1)))).toBeLessThan(4 / Math.sqrt(DRAWS));
});

test('the colours do not move the crop', () => {
  const draw = { seed: 1, epoch: 0, index: 5 };
  expect(drawAugmentation({ contrast: 0.3 }, draw, SIZE).crop).toEqual(drawAugmentation({}, draw, SIZE).crop);
});

test('the crop is resized, flipped and recoloured, and the picture left alone', () => {
  const image = patterned(50, 40);
  const before = image.data.slice();
  const crop = { left: 4, top: 6, width: 30, height: 25 };
  const plain = augment(image, { crop, flip: false, colours: [] }, { width: 16, height: 12 }, 3);
  expect(plain).toEqual(resample(cropped(image, crop), 16, 12, 3));
  const flipped = augment(image, { crop, flip: true, colours: [] }, { width: 16, height: 12 }, 3);
  for (let row = 0; row < 12; row++) {
    for (let column = 0; column < 16; column++) {
      const [here, there] = [(row * 16 + column) * 3, (row * 16 + 15 - column) * 3];
      expect(flipped.data.slice(here, here + 3)).toEqual(plain.data.slice(there, there + 3));
    }
  }
  expect(image.data).toEqual(before);
});

describe('colours', () => {
  /** Pillow 12.3: ImageEnhance.Brightness, Contrast and Color of the four pixels below. */
  const image = {
    width: 4,
    height: 1,
    data: new Uint8Array([10, 20, 30, 200, 100, 50, 255, 0, 128, 90, 90, 91]),
  };
  test.each<['brightness' | 'contrast' | 'saturation', number, readonly number[]]>([
    ['brightness', 0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['brightness', 0.63, [6, 12, 18, 126, 63, 31, 160, 0, 80, 56, 56, 57]],
    ['brightness', 1, [10, 20, 30, 200, 100, 50, 255, 0, 128, 90, 90, 91]],
    ['brightness', 1.37, [13, 27, 41, 255, 137, 68, 255, 0, 175, 123, 123, 124]],
    ['brightness', 2.2, [22, 44, 66, 255, 220, 110, 255, 0, 255, 198, 198, 200]],
    ['contrast', 0, [81, 81, 81, 81, 81, 81, 81, 81, 81, 81, 81, 81]],
    ['contrast', 0.63, [36, 42, 48, 155, 92, 61, 190, 29, 110, 86, 86, 87]],
    ['contrast', 1, [10, 20, 30, 200, 100, 50, 255, 0, 128, 90, 90, 91]],
    ['contrast', 1.37, [0, 0, 11, 244, 107, 38, 255, 0, 145, 93, 93, 94]],
    ['contrast', 2.2, [0, 0, 0, 255, 122, 12, 255, 0, 184, 100, 100, 103]],
    ['saturation', 0, [18, 18, 18, 124, 124, 124, 91, 91, 91, 90, 90, 90]],
    ['saturation', 0.63, [12, 19, 25, 171, 108, 77, 194, 33, 114, 90, 90, 90]],
    ['saturation', 1, [10, 20, 30, 200, 100, 50, 255, 0, 128, 90, 90, 91]],
    ['saturation', 1.37, [7, 20, 34, 228, 91, 22, 255, 0, 141, 90, 90, 91]],
    ['saturation', 2.2, [0, 22, 44, 255, 71, 0, 255, 0, 172, 90, 90, 92]],
  ])('%s × %d as Pillow', (kind, factor, expected) => {
    expect([...adjustColours(image, { kind, factor }).data]).toEqual([...expected]);
  });
});

test.each<[string, AugmentationOptions]>([
  ['scale', { scale: [0, 1] }],
  ['scale', { scale: [0.5, 1.1] }],
  ['scale', { scale: [0.9, 0.5] }],
  ['ratio', { ratio: [-1, 1] }],
  ['ratio', { ratio: [1, Infinity] }],
  ['flip', { flip: 1.5 }],
  ['flip', { flip: NaN }],
  ['contrast', { contrast: -0.1 }],
])('%s of %j is refused by name', (name, options) => {
  expect(() => {
    checkAugmentation(options);
  }).toThrow(ConfigurationError);
  expect(() => {
    checkAugmentation(options);
  }).toThrow(`augmentation.${name}`);
});

function correlation(left: readonly number[], right: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  const product = (a: readonly number[], aMean: number, b: readonly number[], bMean: number) =>
    a.reduce((sum, value, at) => sum + (value - aMean) * ((b[at] ?? NaN) - bMean), 0);
  return (
    product(left, leftMean, right, rightMean) /
    Math.sqrt(product(left, leftMean, left, leftMean) * product(right, rightMean, right, rightMean))
  );
}
