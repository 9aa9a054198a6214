/**
 * Resampling filters by the codes that preprocessor_config.json uses, which are those of Pillow.
 * 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming.
 */
export type ResampleCode = 0 | 1 | 2 | 3 | 4 | 5;

/** 8-bit RGB, row-major, channels last: [height, width, 3]. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A rectangle of whole pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A filter is zero beyond `support` source pixels, before it is widened for shrinking. */
interface Kernel {
  readonly support: number;
  weight(distance: number): number;
}

/** Kept at hand: within jest a look-up of a global costs more than the multiplication. */
const { imul } = Math;

/** Bits behind the point: products with 8-bit values and their sums then fit into 32 bits. */
const FRACTION_BITS = 22;

const KERNELS: Readonly<Record<1 | 2 | 3 | 4 | 5, Kernel>> = {
  1: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  2: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  3: { support: 2, weight: (x) => cubic(Math.abs(x)) },
  4: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  5: {
    support: 1,
    // Pillow's two constants are single-precision.
    weight: (x) =>
      Math.abs(x) >= 1 ? 0 : sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(Math.PI * x)),
  },
};

/** Parts of what {@link resample} reads and makes. */
export interface ResampleParts {
  /** Part of the image that is resized; all of it by default. */
  readonly box?: Box;
  /** Part of the result that is wanted, and alone is computed; all of it by default. */
  readonly window?: Box;
}

/**
 * Resizes an image as Pillow resizes an 8-bit image, to the bit: a separable filter in fixed point that widens when shrinking,
 * along the rows first, the result of the first pass rounded to 8 bits. Image processors of Hugging Face transformers resize with
 * Pillow, so this is what a backbone was trained on.
 */
export function resample(
  image: RgbImage,
  width: number,
  height: number,
  code: ResampleCode,
  { box = wholeOf(image), window = { left: 0, top: 0, width, height } }: ResampleParts = {},
): RgbImage {
  const keepsWidth = box.width === width;
  const keepsHeight = box.height === height;
  if (keepsWidth && keepsHeight) return cropped(image, within(box, window));
  if (code === 0) return nearest(image, box, { width, height }, window);
  const kernel = KERNELS[code];
  const columns = tapsOf(kernel, box.width, width, window.left, window.width);
  const rows = tapsOf(kernel, box.height, height, window.top, window.height);
  // Source rows that the second pass reads.
  const top = keepsHeight ? window.top : (rows.first[0] ?? 0);
  const bottom = keepsHeight ? top + window.height : (rows.first.at(-1) ?? 0) + (rows.count.at(-1) ?? 0);
  const band = { left: 0, top, width: box.width, height: bottom - top };
  const across = keepsWidth
    ? cropped(image, within(box, { ...band, left: window.left, width: window.width }))
    : resampleRows(image, within(box, band), columns);
  return keepsHeight ? across : resampleColumns(across, rows, top);
}

function wholeOf({ width, height }: RgbImage): Box {
  return { left: 0, top: 0, width, height };
}

/** A part of a box, in the coordinates of what the box is in. */
function within(box: Box, { left, top, width, height }: Box): Box {
  return { left: box.left + left, top: box.top + top, width, height };
}

/** A copy of a part of an image. */
export function cropped(image: RgbImage, { left, top, width, height }: Box): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * image.width + left) * 3;
    data.set(image.data.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, data };
}

/** Which source pixels make a target pixel, for a stretch of one axis. */
interface Taps {
  readonly size: number;
  /** First source pixel of each target pixel, [size]. */
  readonly first: Int32Array;
  /** Source pixels of each target pixel, [size]. */
  readonly count: Int32Array;
  /** Weights in fixed point, [size, stride]. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** Taps of `size` target pixels from index `from` on, where `sourceSize` pixels become `fullSize`. */
function tapsOf(kernel: Kernel, sourceSize: number, fullSize: number, from: number, size: number): Taps {
  const scale = sourceSize / fullSize;
  const filterScale = Math.max(scale, 1);
  const support = kernel.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(size);
  const count = new Int32Array(size);
  const weights = new Int32Array(size * stride);
  const raw = new Float64Array(stride);
  for (let target = 0; target < size; target++) {
    const center = (from + target + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const taps = Math.min(sourceSize, Math.trunc(center + support + 0.5)) - start;
    let total = 0;
    for (let tap = 0; tap < taps; tap++) {
      const weight = kernel.weight((tap + start - center + 0.5) / filterScale);
      raw[tap] = weight;
      total += weight;
    }
    for (let tap = 0; tap < taps; tap++) {
      const weight = (raw[tap] ?? 0) / (total === 0 ? 1 : total);
      weights[target * stride + tap] = Math.trunc(weight * 2 ** FRACTION_BITS + (weight < 0 ? -0.5 : 0.5));
    }
    first[target] = start;
    count[target] = taps;
  }
  return { size, first, count, weights, stride };
}

/** [box.height, box.width, 3] → [box.height, taps.size, 3] */
function resampleRows(image: RgbImage, box: Box, taps: Taps): RgbImage {
  const { size, first, count, weights, stride } = taps;
  const source = image.data;
  const data = new Uint8Array(box.height * size * 3);
  let out = 0;
  for (let row = 0; row < box.height; row++) {
    const rowStart = ((box.top + row) * image.width + box.left) * 3;
    for (let target = 0; target < size; target++) {
      let red = 1 << (FRACTION_BITS - 1);
      let green = red;
      let blue = red;
      let at = rowStart + (first[target] ?? 0) * 3;
      const begin = target * stride;
      const end = begin + (count[target] ?? 0);
      for (let tap = begin; tap < end; tap++, at += 3) {
        const weight = weights[tap] ?? 0;
        red = (red + imul(source[at] ?? 0, weight)) | 0;
        green = (green + imul(source[at + 1] ?? 0, weight)) | 0;
        blue = (blue + imul(source[at + 2] ?? 0, weight)) | 0;
      }
      data[out++] = toByte(red);
      data[out++] = toByte(green);
      data[out++] = toByte(blue);
    }
  }
  return { width: size, height: box.height, data };
}

/** [height, width, 3] → [taps.size, width, 3]; the first row of the image is source row `top` of the taps. */
function resampleColumns(image: RgbImage, taps: Taps, top: number): RgbImage {
  const { size, first, count, weights, stride } = taps;
  const source = image.data;
  const rowLength = image.width * 3;
  const data = new Uint8Array(size * rowLength);
  const sums = new Int32Array(rowLength);
  for (let target = 0; target < size; target++) {
    sums.fill(1 << (FRACTION_BITS - 1));
    const rows = count[target] ?? 0;
    for (let tap = 0; tap < rows; tap++) {
      const weight = weights[target * stride + tap] ?? 0;
      const start = ((first[target] ?? 0) - top + tap) * rowLength;
      for (let column = 0; column < rowLength; column++) {
        sums[column] = ((sums[column] ?? 0) + imul(source[start + column] ?? 0, weight)) | 0;
      }
    }
    for (let column = 0, out = target * rowLength; column < rowLength; column++, out++) {
      data[out] = toByte(sums[column] ?? 0);
    }
  }
  return { width: image.width, height: size, data };
}

function nearest(
  image: RgbImage,
  box: Box,
  size: { readonly width: number; readonly height: number },
  window: Box,
): RgbImage {
  const columns = nearestSources(box.width, size.width, window.left, window.width);
  const rows = nearestSources(box.height, size.height, window.top, window.height);
  const data = new Uint8Array(columns.length * rows.length * 3);
  let out = 0;
  for (const row of rows) {
    const start = (box.top + row) * image.width + box.left;
    for (const column of columns) {
      const at = (start + column) * 3;
      data[out++] = image.data[at] ?? 0;
      data[out++] = image.data[at + 1] ?? 0;
      data[out++] = image.data[at + 2] ?? 0;
    }
  }
  return { width: columns.length, height: rows.length, data };
}

/** Adds the step up instead of multiplying, as Pillow does: ties fall alike. */
function nearestSources(sourceSize: number, fullSize: number, from: number, size: number): Int32Array {
  const step = sourceSize / fullSize;
  let at = step * 0.5;
  for (let target = 0; target < from; target++) at += step;
  return new Int32Array(size).map(() => {
    const source = Math.min(Math.trunc(at), sourceSize - 1);
    at += step;
    return source;
  });
}

function toByte(sum: number): number {
  const value = sum >> FRACTION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Keys' cubic with a = −0.5. */
function cubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
