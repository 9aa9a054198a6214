import { expect, it } from '@jest/globals';

import { plainPalette } from '../display/colour.js';
import { sequenceText } from './sequence-text.js';

const prompts = (first: number, last: number): { prompt: number }[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ prompt: first + index }));

it.each([
  [['[CLS]', ...prompts(1, 2), 'a', 'film', ...prompts(3, 3)], '[CLS] ‹p1 p2› a film ‹p3›'],
  [[...prompts(1, 7), 'a'], '‹p1 … p7› a'],
  [
    [
      '[CLS]',
      { patches: [0, 2] as [number, number] },
      { patches: [2, 1] as [number, number] },
      ...prompts(1, 1),
    ],
    '[CLS] 3 patches ‹p1›',
  ],
  [
    [{ patches: [0, 1] as [number, number] }, ...prompts(1, 1), { patches: [1, 3] as [number, number] }],
    '1 patches ‹p1› 3 patches',
  ],
  [[], ''],
])('draws %j', (sequence, text) => {
  expect(sequenceText(sequence, plainPalette)).toBe(text);
});
