import { describe, expect, it } from '@jest/globals';

import { measure } from './measures.js';

/** Logits whose softmax has these probabilities. */
function logitsOf(rows: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(rows.flat(), (probability) => Math.log(probability) + 3);
}

describe('measure', () => {
  // Classes 0, 0, 0, 1; said 0, 0, 1, 1 with confidences 0.9, 0.7, 0.6, 0.8: each in a bin of its own of width 1/15.
  const validation = [0, 0, 0, 1].map((label, index) => ({ id: `${index}`, example: index, label }));
  const logits = logitsOf([
    [0.9, 0.1],
    [0.7, 0.3],
    [0.4, 0.6],
    [0.2, 0.8],
  ]);
  const measured = measure(
    { predictions: Int32Array.of(0, 0, 1, 1), logits },
    { validation, labels: ['a', 'b'] },
  );

  it('counts true and predicted classes', () => {
    expect(measured.confusion).toEqual([
      [2, 1],
      [0, 1],
    ]);
  });

  it('averages the accuracy of the classes, and the distance of confidence and accuracy', () => {
    expect(measured.measures?.['mean accuracy of the classes']).toBeCloseTo((2 / 3 + 1) / 2, 12);
    // (0.1 + 0.3 + 0.6 + 0.2) / 4
    expect(measured.measures?.['expected calibration error']).toBeCloseTo(0.3, 6);
  });
});
