import type { PreprocessorConfig, Size } from './preprocessor-config.js';
import type { Box, RgbImage } from './resample.js';

/**
 * Size that a picture is resized to before the crop. The longer edge is rounded down, as transformers does.
 */
export function resizedSize(config: PreprocessorConfig, { width, height }: Size): Size {
  const { resize } = config;
  if (!resize) return { width, height };
  if ('height' in resize) return resize;
  const short = resize.shortestEdge;
  const long = Math.trunc((short * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

/** How the middle of a picture is cut out or padded: `part` of the picture goes to (`left`, `top`) of the crop. */
export interface CenterCrop {
  readonly part: Box;
  readonly left: number;
  readonly top: number;
  readonly size: Size;
}

/**
 * The centre crop of a picture of size `available`. Of an odd margin the smaller half is cut off above and left; where the picture
 * is smaller, `padding` says which half is added there: `ceil` as transformers, `floor` as transformers.js.
 */
export function centerCrop(available: Size, size: Size, padding: 'ceil' | 'floor'): CenterCrop {
  const columns = centred(available.width, size.width, padding);
  const rows = centred(available.height, size.height, padding);
  const part = { left: columns.from, top: rows.from, width: columns.count, height: rows.count };
  return { part, left: columns.to, top: rows.to, size };
}

/** Puts what was cut out, of the size of `part`, into the crop; the rest is 0. */
export function padded(middle: RgbImage, { left, top, size: { width, height } }: CenterCrop): RgbImage {
  if (middle.width === width && middle.height === height) return middle;
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < middle.height; row++) {
    const content = middle.data.subarray(row * middle.width * 3, (row + 1) * middle.width * 3);
    data.set(content, ((top + row) * width + left) * 3);
  }
  return { width, height, data };
}

/** Along one axis: `count` pixels from index `from` of the picture go to index `to` of the crop. */
function centred(available: number, wanted: number, padding: 'ceil' | 'floor') {
  if (available >= wanted) return { from: Math.floor((available - wanted) / 2), to: 0, count: wanted };
  return { from: 0, to: Math[padding]((wanted - available) / 2), count: available };
}
