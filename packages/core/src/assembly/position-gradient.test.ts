import { describe, expect, it } from '@jest/globals';
import { DataError } from '../errors.js';
import { stream } from '../random/stream.js';
import { positionGradient } from './position-gradient.js';
import { PADDING, rowSlots, sourceTables } from './source-table.js';
import type { AssemblyShape, ExampleLayout } from './source-table.js';

const width = 5;
const slots = 3;
const layouts: ExampleLayout[] = [
  { before: 1, content: 4, after: 1, active: 3 },
  { before: 1, content: 2, after: 1, active: 1 },
  { before: 0, content: 5, after: 0, active: 0 },
];
const batch = layouts.length;
const total = 10;
const rows = slots + 6;
const random = stream(2, 'position-gradient');
const normals = (count: number): Float32Array => new Float32Array(count).map(() => random.normal());
const sources = normals(batch * rows * width); // [B, R, d] rows of [P; X]
const upstream = normals(batch * total * width); // [B, T, d] dL/dE
const slotVectors = normals(total * width); // [T, d]

function dot(left: Float32Array, leftRow: number, right: Float32Array, rightRow: number): number {
  let sum = 0;
  for (let column = 0; column < width; column++) {
    sum += (left[leftRow * width + column] ?? 0) * (right[rightRow * width + column] ?? 0);
  }
  return sum;
}

/** Assembles every candidate in full and pairs it with dL/dE. */
function materialised(shape: AssemblyShape, withSlotVectors: boolean): number[] {
  return layouts.flatMap((layout, example) =>
    Array.from({ length: shape.candidates }, (_, candidate) => {
      const table = sourceTables(shape, [layout], Int32Array.of(candidate));
      const assembled = new Float32Array(total * width);
      table.forEach((source, slot) => {
        if (source === PADDING) return;
        for (let column = 0; column < width; column++) {
          const token = sources[(example * rows + source) * width + column] ?? 0;
          const place = withSlotVectors && source < slots ? (slotVectors[slot * width + column] ?? 0) : 0;
          assembled[slot * width + column] = token + place;
        }
      });
      let sum = 0;
      for (let slot = 0; slot < total; slot++) {
        sum += dot(upstream, example * total + slot, assembled, slot);
      }
      return sum;
    }),
  );
}

function expectClose(actual: Float32Array, expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs((actual[index] ?? NaN) - value)).toBeLessThan(1e-4);
  });
}

const shapes: AssemblyShape[] = [
  { mode: 'split', candidates: slots + 1, slots, total },
  { mode: 'insert', candidates: 4, slots, total },
];

describe.each(shapes)('positionGradient in mode $mode', (shape) => {
  const bySource = Float32Array.from({ length: batch * total * rows }, (_, index) => {
    const example = Math.floor(index / (total * rows));
    return dot(upstream, Math.floor(index / rows), sources, example * rows + (index % rows));
  });

  it('equals materialised candidates when scores stand against [P; X]', () => {
    const gradient = positionGradient(shape, layouts, { scores: bySource, columnCount: rows });
    expectClose(gradient, materialised(shape, false));
  });

  it('equals materialised candidates when scores stand against the assembled input', () => {
    const choice = Int32Array.of(1, 0, 2);
    const tables = sourceTables(shape, layouts, choice);
    const scores = Float32Array.from({ length: batch * total * total }, (_, index) => {
      const example = Math.floor(index / (total * total));
      const source = tables[example * total + (index % total)] ?? PADDING;
      // What stands in a padding slot must not matter.
      if (source === PADDING) return 1e6;
      return dot(upstream, Math.floor(index / total), sources, example * rows + source);
    });
    const columns = rowSlots(tables, batch, rows);
    const gradient = positionGradient(shape, layouts, { scores, columnCount: total, columns });
    expectClose(gradient, materialised(shape, false));
  });

  it('adds what a slot adds to a prompt token', () => {
    const promptSlotScores = Float32Array.from({ length: batch * total }, (_, index) =>
      dot(upstream, index, slotVectors, index % total),
    );
    const given = { scores: bySource, columnCount: rows, promptSlotScores };
    expectClose(positionGradient(shape, layouts, given), materialised(shape, true));
  });

  it('refuses arrays of other sizes', () => {
    const refuse = (given: object): void => {
      const build = (): unknown =>
        positionGradient(shape, layouts, { scores: bySource, columnCount: rows, ...given });
      expect(build).toThrow(DataError);
    };
    refuse({ scores: bySource.slice(1) });
    refuse({ columnCount: rows - 1, scores: bySource.slice(batch * total) });
    refuse({ columns: new Int32Array(batch * (rows - 1)) });
    refuse({ promptSlotScores: new Float32Array(1) });
  });
});
