import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { calibration, expectedCalibrationError } from './calibration.js';
import { confusionMatrix, perClassAccuracy, topClasses, topOneAccuracy } from './confusion.js';
import { meanPerClassAccuracy, metrics } from './metrics.js';

// 24 examples with random probabilities, in sixtieths. Expected values: Python's fractions.Fraction after the definitions, with
// bins found by ceil(15 · confidence) in exact arithmetic; several confidences lie on an edge (36/60 = 9/15, 40/60 = 10/15).
const sixtieths = [
  [20, 9, 31],
  [41, 1, 18],
  [52, 8, 0],
  [23, 37, 0],
  [58, 2, 0],
  [2, 5, 53],
  [26, 4, 30],
  [5, 35, 20],
  [3, 52, 5],
  [7, 14, 39],
  [40, 18, 2],
  [36, 18, 6],
  [3, 14, 43],
  [35, 4, 21],
  [26, 9, 25],
  [7, 36, 17],
  [35, 21, 4],
  [6, 37, 17],
  [40, 6, 14],
  [6, 35, 19],
  [4, 36, 20],
  [39, 6, 15],
  [43, 17, 0],
  [49, 5, 6],
];
const probabilities = sixtieths.flat().map((value) => value / 60);
const expected = [1, 0, 0, 0, 0, 1, 0, 1, 2, 2, 0, 1, 0, 1, 2, 1, 0, 2, 1, 2, 0, 1, 1, 1];
const predicted = [2, 0, 0, 1, 0, 2, 2, 1, 1, 2, 0, 0, 2, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0];

describe('top-1', () => {
  it('is the share of examples whose right class scores highest', () => {
    expect([...topClasses(probabilities, 3)]).toEqual(predicted);
    expect(topOneAccuracy(probabilities, expected, 3)).toBeCloseTo(8 / 24, 12);
  });

  it('takes the lowest class in a tie, also below zero', () => {
    expect([...topClasses([-3, -1, -1, -2, -2, -2], 3)]).toEqual([1, 0]);
  });

  it('refuses what are no scores of these classes', () => {
    expect(() => topClasses([1, 2, 3, 4], 3)).toThrow(ConfigurationError);
    expect(() => topClasses([1, Number.NaN], 2)).toThrow(/class 1 for example 1 is not a number/);
    expect(() => topOneAccuracy(probabilities, [1], 3)).toThrow(DataError);
  });
});

describe('confusion', () => {
  it('is counted by true and predicted class', () => {
    expect(confusionMatrix(predicted, expected, 3)).toEqual([
      [5, 2, 2],
      [6, 2, 2],
      [1, 3, 1],
    ]);
  });

  it('has the accuracy of each class and its mean', () => {
    expect(perClassAccuracy(predicted, expected, 4)).toEqual([5 / 9, 1 / 5, 1 / 5, null]);
    // (5/9 + 1/5 + 1/5) / 3; a class that is only predicted does not count.
    expect(meanPerClassAccuracy(predicted, expected)).toBeCloseTo(43 / 135, 12);
    expect(meanPerClassAccuracy([0, 1, 7], [0, 0, 1])).toBe(0.25);
    expect(metrics['mean-per-class-accuracy'].score([0, 0, 0, 0], [0, 0, 0, 1])).toBe(0.5);
  });

  it('refuses an index that is none of the classes', () => {
    expect(() => confusionMatrix([0, 3], [0, 1], 3)).toThrow(
      /predictions: number 2 is 3, and there are 3 classes/,
    );
    expect(() => confusionMatrix([0, 1], [0, -1], 3)).toThrow(DataError);
  });
});

describe('calibration', () => {
  it('is the error of Guo et al. in 15 bins', () => {
    expect(expectedCalibrationError(probabilities, expected, 3)).toBeCloseTo(241 / 720, 12);
  });

  it('puts a confidence on an edge into the lower bin', () => {
    const { bins } = calibration(probabilities, expected, 3);
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 7, 6, 3, 0, 3, 1, 1]);
    expect(bins[8]).toMatchObject({ above: 8 / 15, upTo: 9 / 15, count: 7 });
    expect(bins[8]?.accuracy).toBeCloseTo(3 / 7, 12);
    expect(bins[8]?.confidence).toBeCloseTo(62 / 105, 12);
    expect(bins[0]).toMatchObject({ accuracy: 0, confidence: 0 });
  });

  it('is the gap of accuracy and mean confidence with one bin, and 0 where they agree', () => {
    const confidence = sixtieths.reduce((sum, row) => sum + Math.max(...row) / 60, 0) / 24;
    expect(expectedCalibrationError(probabilities, expected, 3, 1)).toBeCloseTo(confidence - 1 / 3, 12);
    // Four examples at 3/4, three of them right.
    const sure = [0.75, 0.25, 0.75, 0.25, 0.75, 0.25, 0.75, 0.25];
    expect(expectedCalibrationError(sure, [0, 0, 1, 0], 2)).toBe(0);
    expect(expectedCalibrationError([1 + 1e-6, 0], [0], 2)).toBeCloseTo(0, 5);
  });

  it('refuses logits', () => {
    expect(() => expectedCalibrationError([2, -1], [0], 2)).toThrow(/example 1: one is -1.*softmax/);
    expect(() => expectedCalibrationError([0.5, 0.5, 2, 1], [0, 1], 2)).toThrow(/example 2: their sum is 3/);
    expect(() => expectedCalibrationError([0.5, Number.NaN], [0], 2)).toThrow(DataError);
    expect(() => expectedCalibrationError([1, 0], [0], 2, 0)).toThrow(ConfigurationError);
  });
});
