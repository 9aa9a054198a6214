import { join } from 'node:path';
import type sharpModule from 'sharp';
import { ConfigurationError } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';
import { imageFault } from '../../images/faults.js';
import { colors } from './concepts.js';
import type { Cells, Thing } from './scene.js';

/** Paints scenes. */
export interface ScenePainter {
  /** The picture of a scene as PNG; the same scene gives the same bytes. */
  readonly paint: (cells: Cells) => Promise<Uint8Array>;
}

/** A drawing, [side, side, RGBA]. */
interface Drawing {
  readonly side: number;
  readonly data: Uint8Array;
}

/** A square of a picture, pixels. */
interface Square {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** Side of a drawing before its margins are cut off, over that of its place; and at least so many pixels. */
const OVERSIZE = { factor: 2, least: 96 };

/**
 * A painter of pictures of size × size pixels with the drawings of a folder `color/svg`. Every drawing is rendered once for each size
 * it is needed in, without its margins. Rejects with a `ConfigurationError` where sharp is not installed, and paints with a
 * `DataError` for a drawing that is missing.
 */
export async function scenePainter(folder: string, size: number): Promise<ScenePainter> {
  const sharp = await loadSharp();
  const drawings = new Map<string, Promise<Drawing>>();
  const render = (code: string, side: number): Promise<Drawing> => {
    const key = `${code}:${side}`;
    const known = drawings.get(key);
    if (known) return known;
    const rendering = renderDrawing(sharp, join(folder, `${code}.svg`), side);
    drawings.set(key, rendering);
    return rendering;
  };
  return {
    paint: async (cells) => {
      const picture = new Uint8Array(size * size * 3).fill(255);
      for (const [index, thing] of cells.entries()) {
        if (thing === undefined) continue;
        const square = squareOf(index, cells.length, size);
        fill(picture, size, square, colors[thing.color]);
        draw(
          picture,
          size,
          square,
          thing,
          await render(thing.drawing, Math.round(square.side * thing.scale)),
        );
      }
      const raw = { width: size, height: size, channels: 3 as const };
      return sharp(picture, { raw }).png({ compressionLevel: 9 }).toBuffer();
    },
  };
}

/** The whole picture for a single cell; else a quarter, with a white gap around it. */
function squareOf(index: number, cells: number, size: number): Square {
  if (cells === 1) return { left: 0, top: 0, side: size };
  const half = Math.floor(size / 2);
  const gap = Math.max(1, Math.round(size / 64));
  return { left: (index % 2) * half + gap, top: Math.floor(index / 2) * half + gap, side: half - 2 * gap };
}

function fill(
  picture: Uint8Array,
  size: number,
  { left, top, side }: Square,
  color: readonly number[],
): void {
  for (let y = top; y < top + side; y += 1) {
    for (let x = left; x < left + side; x += 1) picture.set(color, (y * size + x) * 3);
  }
}

/** Lays a drawing over its square. */
function draw(
  picture: Uint8Array,
  size: number,
  square: Square,
  { shift: [across, down] }: Thing,
  { side, data }: Drawing,
): void {
  const left = square.left + Math.round((square.side - side) * across);
  const top = square.top + Math.round((square.side - side) * down);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const from = (y * side + x) * 4;
      const to = ((top + y) * size + left + x) * 3;
      const alpha = (data[from + 3] ?? 0) / 255;
      for (let channel = 0; channel < 3; channel += 1) {
        const behind = picture[to + channel] ?? 0;
        picture[to + channel] = Math.round(behind + ((data[from + channel] ?? 0) - behind) * alpha);
      }
    }
  }
}

type Sharp = typeof sharpModule;

async function renderDrawing(sharp: Sharp, path: string, side: number): Promise<Drawing> {
  try {
    // Drawings are made for 72 pixels at a density of 72.
    const rawSide = Math.max(OVERSIZE.least, OVERSIZE.factor * side);
    const raw = await sharp(path, { density: rawSide })
      .resize(rawSide, rawSide)
      .ensureAlpha()
      .raw()
      .toBuffer();
    const { data } = await sharp(raw, { raw: { width: rawSide, height: rawSide, channels: 4 } })
      .extract(contentOf(raw, rawSide))
      .resize(side, side, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { side, data };
  } catch (cause) {
    throw imageFault(
      path,
      `the drawing cannot be rendered (${(cause as Error).message})`,
      'Install version 17 of the npm package openmoji again',
      cause,
    );
  }
}

/** The part of a drawing that is not transparent. */
function contentOf(raw: Uint8Array, rawSide: number) {
  let [left, top, right, bottom] = [rawSide, rawSide, -1, -1];
  for (let pixel = 0; pixel < rawSide * rawSide; pixel += 1) {
    if ((raw[pixel * 4 + 3] ?? 0) < 8) continue;
    const x = pixel % rawSide;
    const y = Math.floor(pixel / rawSide);
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

async function loadSharp(): Promise<Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new ConfigurationError({
      packageName,
      subject: 'scenes',
      problem: 'the npm package sharp, which paints them, is not installed',
      remedy: 'Run npm install sharp',
      cause,
    });
  }
}
