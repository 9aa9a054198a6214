import { describe, expect, it } from '@jest/globals';
import { inTableOrder, placesOf, PLAIN, type Sides } from './placement.js';

/** Three own tokens and one of two prompt tokens on; a row of two more columns: o o o p | x x | q. */
const layouts = [{ before: 1, content: 2, after: 0, active: 1 }];
const drawn = (sides: Sides): string => {
  const places = placesOf(layouts, 2, 7, sides) ?? [0, 1, 2, 3, 4, 5, 6];
  const row: string[] = [];
  'a b c d x y q'.split(' ').forEach((slot, index) => (row[places[index] ?? -1] = slot));
  return row.join('');
};

describe('placesOf', () => {
  it.each([
    ['right', 'back', 'abcdxyq'],
    ['left', 'back', 'xyabcdq'],
    ['right', 'front', 'qabcdxy'],
    ['left', 'front', 'xyqabcd'],
  ] as const)('padding %s, tokens that are off in %s: %s', (padding, inactive, expected) => {
    expect(drawn({ padding, inactive })).toBe(expected);
  });

  it('has nothing to say where slots stand as in the table', () => {
    expect(placesOf(layouts, 2, 7, PLAIN)).toBeUndefined();
  });
});

it('brings scores of rows and columns back to the order of the table', () => {
  // Row r and column c of the model's second example score 10 r + c, of its first one 0.
  const places = Int32Array.of(0, 1, 2, 2, 0, 1);
  const scores = Float32Array.from({ length: 18 }, (_, index) =>
    index < 9 ? 0 : 10 * Math.floor((index - 9) / 3) + (index % 3),
  );
  expect([...inTableOrder(scores, 3, places)].slice(9)).toEqual([22, 20, 21, 2, 0, 1, 12, 10, 11]);
  expect(inTableOrder(scores, 3, undefined)).toBe(scores);
});
