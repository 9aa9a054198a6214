import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DataError } from '../errors.js';
import { anchorOffset, PADDING, rowSlots, sourceTables } from './source-table.js';
import type { AssemblyShape, ExampleLayout } from './source-table.js';

const slots = 3;

/** Draws a table as text: p0 p1 … for prompt rows, x0 x1 … for the example's own tokens, . for padding. */
function draw(shape: AssemblyShape, layout: ExampleLayout, candidate: number): string {
  return [...sourceTables(shape, [layout], Int32Array.of(candidate))]
    .map((source) => {
      if (source === PADDING) return '.';
      return source < shape.slots ? `p${source}` : `x${source - shape.slots}`;
    })
    .join(' ');
}

const anyBatch = fc
  .record({
    mode: fc.constantFrom('split' as const, 'insert' as const),
    slots: fc.integer({ min: 1, max: 6 }),
    anchors: fc.integer({ min: 2, max: 7 }),
    spare: fc.integer({ min: 0, max: 4 }),
    examples: fc.array(
      fc.record({
        before: fc.integer({ min: 0, max: 2 }),
        content: fc.integer({ min: 0, max: 9 }),
        after: fc.integer({ min: 0, max: 2 }),
        activeShare: fc.double({ min: 0, max: 1, noNaN: true }),
        choiceShare: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ mode, slots, anchors, spare, examples }) => {
    const candidates = mode === 'split' ? slots + 1 : anchors;
    const layouts = examples.map(({ before, content, after, activeShare }) => ({
      before,
      content,
      after,
      active: Math.round(activeShare * slots),
    }));
    const own = layouts.map(({ before, content, after }) => before + content + after);
    const total = Math.max(...own) + slots + spare;
    const choice = Int32Array.from(examples, ({ choiceShare }) => Math.round(choiceShare * (candidates - 1)));
    return { shape: { mode, candidates, slots, total }, layouts, own, choice };
  });

describe('sourceTables', () => {
  const encoder = { before: 1, content: 2, after: 1, active: 3 };
  const split = { mode: 'split', candidates: 4, slots, total: 9 } as const;

  it.each([
    [0, 3, 'x0 x1 x2 p0 p1 p2 x3 . .'],
    [1, 3, 'x0 p0 x1 x2 p1 p2 x3 . .'],
    [3, 3, 'x0 p0 p1 p2 x1 x2 x3 . .'],
    [1, 2, 'x0 p0 x1 x2 p1 x3 . . p2'],
    [3, 2, 'x0 p0 p1 x1 x2 x3 . . p2'],
    [2, 0, 'x0 x1 x2 x3 . . p0 p1 p2'],
  ])('splits at candidate %i with %i active tokens', (candidate, active, expected) => {
    expect(draw(split, { ...encoder, active }, candidate)).toBe(expected);
  });

  it.each([
    [0, 'x0 p0 p1 x1 x2 x3 x4 x5 . p2'],
    [1, 'x0 x1 x2 p0 p1 x3 x4 x5 . p2'],
    [2, 'x0 x1 x2 x3 x4 p0 p1 x5 . p2'],
  ])('inserts at anchor %i', (candidate, expected) => {
    const shape = { mode: 'insert', candidates: 3, slots, total: 10 } as const;
    expect(draw(shape, { before: 1, content: 4, after: 1, active: 2 }, candidate)).toBe(expected);
  });

  it('holds every row of prompt and sequence exactly once, framing at its place, inactive tokens last', () => {
    fc.assert(
      fc.property(anyBatch, ({ shape, layouts, own, choice }) => {
        const tables = sourceTables(shape, layouts, choice);
        layouts.forEach(({ before, content, active }, example) => {
          const table = [...tables.slice(example * shape.total, (example + 1) * shape.total)];
          const length = own[example] ?? 0;
          const rows = table.filter((source) => source !== PADDING).sort((a, b) => a - b);
          expect(rows).toEqual(Array.from({ length: shape.slots + length }, (_, row) => row));
          const valid = length + active;
          expect(table.slice(0, valid)).not.toContain(PADDING);
          const inactive = Array.from({ length: shape.slots - active }, (_, row) => active + row);
          expect(table.slice(shape.total - inactive.length)).toEqual(inactive);
          const ownOrder = table.filter((source) => source >= shape.slots);
          expect(ownOrder).toEqual([...ownOrder].sort((a, b) => a - b));
          const promptOrder = table.filter((source) => source >= 0 && source < shape.slots);
          expect(promptOrder).toEqual([...promptOrder].sort((a, b) => a - b));
          for (let token = 0; token < before; token++) expect(table[token]).toBe(shape.slots + token);
          for (let token = before + content; token < length; token++) {
            expect(table[token + active]).toBe(shape.slots + token);
          }
        });
      }),
    );
  });

  it('is inverted by rowSlots', () => {
    fc.assert(
      fc.property(anyBatch, ({ shape, layouts, own, choice }) => {
        const tables = sourceTables(shape, layouts, choice);
        const rows = shape.slots + Math.max(...own);
        const inverse = rowSlots(tables, layouts.length, rows);
        layouts.forEach((_, example) => {
          for (let row = 0; row < rows; row++) {
            const slot = inverse[example * rows + row] ?? -1;
            const exists = row < shape.slots + (own[example] ?? 0);
            if (exists) expect(tables[example * shape.total + slot]).toBe(row);
            else expect(slot).toBe(-1);
          }
        });
        const prompts = rowSlots(tables, layouts.length, shape.slots);
        expect(prompts).toHaveLength(layouts.length * shape.slots);
        expect(prompts).not.toContain(-1);
      }),
    );
  });

  it('spaces anchors evenly from before the first to after the last token', () => {
    expect([0, 1, 2, 3, 4].map((anchor) => anchorOffset(anchor, 5, 10))).toEqual([0, 3, 5, 8, 10]);
    expect([0, 1, 2].map((anchor) => anchorOffset(anchor, 3, 0))).toEqual([0, 0, 0]);
  });

  it.each([
    [{ ...encoder, content: 4 }, 0, /needs 9 tokens/],
    [{ ...encoder, active: 4 }, 0, /4 active tokens/],
    [{ ...encoder, content: -1 }, 0, /no count/],
    [encoder, 4, /candidate 4/],
    [encoder, -1, /candidate -1/],
  ])('refuses layout %j with candidate %i', (layout, candidate, message) => {
    const shape = { ...split, total: 8 };
    const build = (): unknown => sourceTables(shape, [layout], Int32Array.of(candidate));
    expect(build).toThrow(message);
    expect(build).toThrow(DataError);
  });

  it('refuses a choice for another batch', () => {
    expect(() => sourceTables(split, [encoder], Int32Array.of(0, 1))).toThrow(/1 layouts but 2/);
  });
});
