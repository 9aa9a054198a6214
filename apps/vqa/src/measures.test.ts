import { expect, it } from '@jest/globals';

import { baselines, measure } from './measures.js';

/** A question with ten answers, so many of which are each word's. */
function question(id: number, questionType: string, counts: Readonly<Record<string, number>>) {
  const answers = Object.entries(counts).flatMap(([answer, count]) => new Array<string>(count).fill(answer));
  return { id: `${id}`, example: { id: `${id}`, answers, questionType }, label: 0 };
}

const labels = ['yes', 'no', '2'];
const data = {
  labels,
  metric: 'vqa-accuracy' as const,
  // Yes twice, 2 once: `yes` is the most frequent; of numbers it is 2.
  train: [
    question(1, 'is there', { yes: 10 }),
    question(2, 'is there', { yes: 10 }),
    { ...question(3, 'how many', { 2: 10 }), label: 2 },
  ],
  validation: [
    question(4, 'is there', { yes: 8, no: 2 }),
    question(5, 'is there', { no: 9, yes: 1 }),
    question(6, 'how many', { 2: 7, 3: 3 }),
    question(7, 'how many', { seven: 10 }),
  ],
};

it('scores by type of question', () => {
  const { measures } = measure({ predictions: Int32Array.of(1, 1, 0, 2) }, data);
  // `no` earns 0.6 with two of ten, 1 with nine; numbers are answered wrongly.
  expect(measures?.['question: is there (2)']).toBeCloseTo((0.6 + 1) / 2, 12);
  expect(measures?.['question: how many (2)']).toBe(0);
});

it('compares with guesses, and with what the answers allow', () => {
  const found = baselines(data);
  expect(Object.keys(found)).toEqual([
    'most frequent answer (yes)',
    'most frequent of the question type',
    'best of 3 answers',
  ]);
  expect(found['most frequent answer (yes)']?.score).toBeCloseTo((1 + 0.3) / 4, 12);
  expect(found['most frequent of the question type']?.score).toBeCloseTo((1 + 0.3 + 1) / 4, 12);
  expect(found['most frequent of the question type']?.measures['question: how many (2)']).toBeCloseTo(
    0.5,
    12,
  );
  // Seven is not among the answers.
  expect(found['best of 3 answers']?.score).toBeCloseTo(3 / 4, 6);
});
