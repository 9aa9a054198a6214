import { expect, it } from '@jest/globals';
import { evenRuns, runsByTexts } from './runs.js';

it.each([
  [
    [2, 2, 2],
    4,
    [
      [0, 2],
      [2, 1],
    ],
  ],
  [[3, 3], 6, [[0, 2]]],
  [
    [9, 1, 1],
    4,
    [
      [0, 1],
      [1, 2],
    ],
  ],
  [
    [4, 4],
    1,
    [
      [0, 1],
      [1, 1],
    ],
  ],
])('texts %j, at most %d of a run', (texts, most, expected) => {
  expect(runsByTexts(texts, most)).toEqual(expected);
});

it.each([
  [
    8,
    4,
    [
      [0, 2],
      [2, 2],
      [4, 2],
      [6, 2],
    ],
  ],
  [
    5,
    2,
    [
      [0, 2],
      [2, 3],
    ],
  ],
  [
    3,
    4,
    [
      [0, 1],
      [1, 1],
      [2, 1],
    ],
  ],
  [3, 1, [[0, 3]]],
])('%d examples in at most %d runs', (examples, most, expected) => {
  expect(evenRuns(examples, most)).toEqual(expected);
});
