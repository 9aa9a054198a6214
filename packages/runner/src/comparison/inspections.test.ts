import { describe, expect, it } from '@jest/globals';

import { promptedSequence } from '../adapter/prompted-sequence.js';
import { evenly } from './curve.js';
import { chosen, joined } from './inspections.js';

/** Predictions of class 0, right where the digit is 1. */
function examples(digits: string): Parameters<typeof chosen>[0] {
  return Array.from(digits, (digit, index) => ({
    id: `${index}`,
    label: 0,
    prediction: 1 - Number(digit),
    probabilities: [0.5, 0.5],
  }));
}

describe('chosen', () => {
  it('takes wrong and right ones, evenly spread', () => {
    expect(chosen(examples('1111100000'), 4)).toEqual([0, 2, 5, 7]);
    expect(chosen(examples('1101111111'), 4)).toEqual([0, 2, 4, 7]);
    expect(chosen(examples('101'), 20)).toEqual([0, 1, 2]);
    expect(chosen(examples('000'), 4)).toEqual([0, 1]);
    expect(chosen([], 4)).toEqual([]);
  });
});

describe('joined', () => {
  it('makes runs of patches that follow each other', () => {
    const read = {
      tokens: ['[CLS]', ...[0, 1, 2, 3].map((patch) => ({ patches: [patch, 1] as [number, number] }))],
      layout: { before: 1, content: 4, after: 0 },
    };
    const placed = (choice: number) =>
      joined(
        promptedSequence(read, { position: { mode: 'insert', candidates: 5 }, slots: 2, choice, length: 2 }),
      );
    const prompt = [{ prompt: 1 }, { prompt: 2 }];
    expect(placed(3)).toEqual(['[CLS]', { patches: [0, 3] }, ...prompt, { patches: [3, 1] }]);
    expect(placed(0)).toEqual(['[CLS]', ...prompt, { patches: [0, 4] }]);
    expect(joined([{ patches: [0, 1] }, { patches: [2, 1] }])).toHaveLength(2);
  });
});

describe('evenly', () => {
  it('keeps all points of some steps, the last among them', () => {
    const points = [1, 2, 3, 4, 5].flatMap((step) => [
      { step, task: 'a' },
      { step, task: 'b' },
    ]);
    expect(evenly(points, 2).map(({ step }) => step)).toEqual([3, 3, 5, 5]);
    expect(evenly(points, 5)).toBe(points);
  });
});
