import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { averageRanks } from './ranks.js';
import {
  accuracy,
  f1,
  macroF1,
  matthews,
  metricNamed,
  metricNames,
  metrics,
  pearson,
  spearman,
} from './metrics.js';

// Expected values: scikit-learn (accuracy_score, f1_score, matthews_corrcoef) and scipy.stats (pearsonr, spearmanr,
// rankdata) on the same lists, printed with all digits.

const truth = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0];
const answers = [0, 1, 0, 0, 1, 1, 0, 1, 1, 1];
const truthOfThree = [0, 1, 2, 2, 1, 0, 2, 1, 0, 2, 1, 1];
const answersOfThree = [0, 2, 2, 2, 1, 0, 1, 1, 1, 2, 0, 1];
const scores = [5, 3.2, 4.4, 1, 0, 2.6, 3.2, 4.8];
const guesses = [4.5, 3.8, 4.4, 0.5, 1, 2, 2.6, 5];

describe('classification metrics', () => {
  it('agree with scikit-learn on two classes', () => {
    // 7 of 10 right; TP 4, FP 2, FN 1: F1 = 8/11, of the other class 6/9.
    expect(accuracy(answers, truth)).toBe(0.7);
    expect(f1(answers, truth)).toBeCloseTo(0.7272727272727273, 14);
    expect(f1(answers, truth, 0)).toBeCloseTo(0.6666666666666666, 14);
    expect(macroF1(answers, truth)).toBeCloseTo(0.696969696969697, 14);
    expect(matthews(answers, truth)).toBeCloseTo(0.408248290463863, 14);
  });

  it('agree with scikit-learn on three classes', () => {
    expect(accuracy(answersOfThree, truthOfThree)).toBeCloseTo(0.6666666666666666, 14);
    expect(macroF1(answersOfThree, truthOfThree)).toBeCloseTo(0.6722222222222222, 14);
    expect(matthews(answersOfThree, truthOfThree)).toBeCloseTo(0.48936170212765956, 14);
  });

  it('are 0 where they are undefined', () => {
    expect(matthews([0, 0, 0], [0, 1, 0])).toBe(0);
    expect(f1([0, 0], [0, 0])).toBe(0);
  });
});

describe('correlations', () => {
  it('agree with scipy, ties included', () => {
    expect(pearson(guesses, scores)).toBeCloseTo(0.9403226556281934, 12);
    expect(spearman(guesses, scores)).toBeCloseTo(0.9461247469114745, 12);
  });

  it('give ties the mean of their ranks', () => {
    expect([...averageRanks(scores)]).toEqual([8, 4.5, 6, 2, 1, 3, 4.5, 7]);
  });

  it('are 0 where one side is constant', () => {
    expect(pearson([1, 1, 1], [1, 2, 3])).toBe(0);
    expect(spearman([1, 2, 3], [2, 2, 2])).toBe(0);
  });
});

describe('means of two metrics', () => {
  it('are those of their parts', () => {
    expect(metrics['accuracy-f1'].score(answers, truth)).toBeCloseTo((0.7 + 8 / 11) / 2, 14);
    expect(metrics['accuracy-macro-f1'].score(answers, truth)).toBeCloseTo(
      (0.7 + (8 / 11 + 2 / 3) / 2) / 2,
      14,
    );
    expect(metrics['pearson-spearman'].score(guesses, scores)).toBeCloseTo(
      (0.9403226556281934 + 0.9461247469114745) / 2,
      12,
    );
  });
});

describe('the table of metrics', () => {
  it('scores perfect predictions with the top of the range', () => {
    for (const name of metricNames) {
      expect(metricNamed(name)).toBe(metrics[name]);
      expect(metrics[name].score(truth, truth)).toBeCloseTo(metrics[name].range[1], 14);
    }
  });

  it('refuses an unknown name and lists the known ones', () => {
    expect(() => metricNamed('bleu')).toThrow(ConfigurationError);
    expect(() => metricNamed('bleu')).toThrow(/metric "bleu".*accuracy, f1/);
  });

  it('refuses lists of different or no length', () => {
    expect(() => accuracy([1], [1, 2])).toThrow(DataError);
    expect(() => accuracy([1], [1, 2])).toThrow(/1 predictions for 2 answers/);
    expect(() => matthews([], [])).toThrow(DataError);
  });
});
