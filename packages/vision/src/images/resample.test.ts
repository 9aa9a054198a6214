import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { maximumDifference, patterned } from './pictures.test.fixture.js';
import { cropped, resample, type ResampleCode, type RgbImage } from './resample.js';

/** The textbook form of the same thing in double precision: every source pixel has a weight, borders are renormalised. */
function bruteForce(image: RgbImage, width: number, height: number, code: 1 | 2 | 3): Float64Array {
  const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  const weightOf = (distance: number): number => {
    const x = Math.abs(distance);
    if (code === 1) return x < 3 ? sinc(x) * sinc(x / 3) : 0;
    if (code === 2) return x < 1 ? 1 - x : 0;
    const a = -0.5;
    if (x < 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
    return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
  };
  const weights = (from: number, to: number) =>
    Array.from({ length: to }, (_, target) => {
      const stretch = Math.max(1, from / to);
      const row = Array.from({ length: from }, (__, source) =>
        weightOf((source + 0.5 - ((target + 0.5) * from) / to) / stretch),
      );
      const total = row.reduce((sum, weight) => sum + weight, 0);
      return row.map((weight) => weight / total);
    });
  const columns = weights(image.width, width);
  const rows = weights(image.height, height);
  const result = new Float64Array(width * height * 3);
  rows.forEach((rowWeights, y) => {
    columns.forEach((columnWeights, x) => {
      for (let c = 0; c < 3; c++) {
        let value = 0;
        rowWeights.forEach((rowWeight, sourceY) => {
          let inRow = 0;
          columnWeights.forEach((weight, sourceX) => {
            inRow += weight * (image.data[(sourceY * image.width + sourceX) * 3 + c] ?? 0);
          });
          value += rowWeight * Math.min(255, Math.max(0, inRow));
        });
        result[(y * width + x) * 3 + c] = Math.min(255, Math.max(0, value));
      }
    });
  });
  return result;
}

describe.each([1, 2, 3] as const)('filter %i', (code) => {
  test.each([
    [37, 23, 11, 9],
    [20, 31, 45, 40],
    [50, 16, 50, 7],
    [9, 40, 30, 40],
    [3, 60, 24, 24],
  ])('%i × %i → %i × %i is the filter’s formula to rounding', (w, h, width, height) => {
    const image = patterned(w, h);
    const { data } = resample(image, width, height, code);
    // Half a level from each of two roundings, the first of them weighted by a filter whose sides are negative.
    expect(maximumDifference(data, bruteForce(image, width, height, code))).toBeLessThan(1.3);
  });
});

/** SHA-256 (first 16 digits) of what Pillow 12.3 and 9.4 make of {@link patterned}: Image.resize((width, height), resample=code). */
const PILLOW = `
  37 × 23 → 11 × 9, 0: 09b6421bae1fea49
  37 × 23 → 11 × 9, 1: ca3f7ba2cd579246
  37 × 23 → 11 × 9, 2: cc50658d0ea608a3
  37 × 23 → 11 × 9, 3: bf1b8e69259b987a
  37 × 23 → 11 × 9, 4: 6ace538196738751
  37 × 23 → 11 × 9, 5: 5c55da0d35a10c26
  37 × 23 → 80 × 50, 0: 00903233d1288c06
  37 × 23 → 80 × 50, 1: c73710fe6fbefe65
  37 × 23 → 80 × 50, 2: 35738050f4f16a2f
  37 × 23 → 80 × 50, 3: f84f2e220e69fb72
  37 × 23 → 80 × 50, 4: 00903233d1288c06
  37 × 23 → 80 × 50, 5: 1039e869a0c21d45
  500 × 375 → 298 × 224, 2: 09ec58ae538ecfb7
  500 × 375 → 298 × 224, 3: 680675964e8b7adb
  3 × 300 → 224 × 224, 0: ec53cd4a491ca13c
  3 × 300 → 224 × 224, 1: 2fff54318e664a2f
  3 × 300 → 224 × 224, 2: 6b1948a60c1e5685
  3 × 300 → 224 × 224, 3: 4ee2d4912a2cbe86
  3 × 300 → 224 × 224, 4: b86d5dffff01b37a
  3 × 300 → 224 × 224, 5: 94f32146ad2734b2
  641 × 427 → 336 × 224, 0: b62f45e0e2abbd50
  641 × 427 → 336 × 224, 1: da6e4f51116ba2f8
  641 × 427 → 336 × 224, 2: f74f525e622eac3c
  641 × 427 → 336 × 224, 3: 4bbee3fe9a1f9433
  641 × 427 → 336 × 224, 4: 899893d175ed66e7
  641 × 427 → 336 × 224, 5: 76f5198bec426e08
`;

test.each(PILLOW.trim().split('\n'))('equals Pillow to the bit: %s', (line) => {
  const [, w, h, width, height, code, digest] = nullSafe(
    /^\s*(\d+) × (\d+) → (\d+) × (\d+), (\d): (\w+)$/.exec(line),
  );
  const image = patterned(Number(w), Number(h));
  const { data } = resample(image, Number(width), Number(height), Number(code) as ResampleCode);
  expect(createHash('sha256').update(data).digest('hex').slice(0, 16)).toBe(digest);
});

test('resizing a box is cropping first', () => {
  const image = patterned(60, 50);
  const box = { left: 7, top: 11, width: 33, height: 20 };
  for (const code of [0, 1, 2, 3, 4, 5] as const) {
    const direct = resample(image, 16, 24, code, { box });
    expect(direct).toEqual(resample(cropped(image, box), 16, 24, code));
  }
});

test('a window is that part of the whole result', () => {
  const image = patterned(60, 50);
  const box = { left: 3, top: 1, width: 50, height: 40 };
  for (const code of [0, 1, 2, 3, 4, 5] as const) {
    for (const [width, height] of [
      [90, 70],
      [20, 16],
      [50, 33],
      [21, 40],
      [50, 40],
    ] as const) {
      const window = { left: 5, top: 4, width: 11, height: 9 };
      const part = resample(image, width, height, code, { box, window });
      expect(part).toEqual(cropped(resample(image, width, height, code, { box }), window));
    }
  }
});

test('a picture of the right size is a copy of itself', () => {
  const image = patterned(8, 5);
  const same = resample(image, 8, 5, 3);
  expect(same).toEqual(image);
  same.data.fill(0);
  expect(image.data.some((value) => value > 0)).toBe(true);
});

function nullSafe(match: RegExpExecArray | null): string[] {
  expect(match).not.toBeNull();
  return [...(match ?? [])];
}
