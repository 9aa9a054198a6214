import { describe, expect, it } from '@jest/globals';
import { majorityBaseline } from './majority.js';

describe('majorityBaseline', () => {
  it('takes the class from training and scores it on validation', () => {
    expect(majorityBaseline([2, 2, 0, 1], [2, 0, 0, 0, 2], 'accuracy')).toEqual({ label: 2, score: 0.4 });
  });

  it('takes the lowest class in a tie', () => {
    expect(majorityBaseline([1, 0, 1, 0], [1, 1], 'accuracy')).toEqual({ label: 0, score: 0 });
  });

  it('scores with the metric asked for', () => {
    expect(majorityBaseline([1, 1, 0], [1, 0], 'matthews').score).toBe(0);
  });
});
