import { describe, expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import { holm } from '../statistics/significance.js';
import { compareMethods } from './compare-methods.js';
import { methodResult } from './method-result.js';
import type { RunPredictions } from './predictions.js';

function method(scores: readonly number[]): ReturnType<typeof methodResult> {
  const runs = scores.map((value, index) => ({
    seed: index + 1,
    seconds: 1,
    loss: [],
    validation: [{ step: 1, value }],
  }));
  return methodResult(runs, 1);
}

/** Answers to examples of class 0: 1 is right, 0 is wrong. */
function said(name: string, seed: number, right: string, task?: string): RunPredictions {
  const examples = Array.from(right, (digit, index) => ({
    id: `${index}`,
    label: 0,
    prediction: 1 - Number(digit),
    probabilities: [0.5, 0.5],
  }));
  return { method: name, seed, metric: 'accuracy', examples, ...(task === undefined ? {} : { task }) };
}

describe('compareMethods', () => {
  it('tests the scores of the seeds in pairs, and corrects the p-values', () => {
    const comparisons = nullThrows(
      compareMethods({
        better: method([0.72, 0.75, 0.81]),
        fixed: method([0.7, 0.71, 0.74]),
        worse: method([0.69, 0.72, 0.73]),
      }),
      'several methods',
    );
    expect(comparisons).toMatchObject({ reference: 'fixed', correction: 'Holm' });
    const [better, worse] = comparisons.methods;
    expect(better?.difference).toBeCloseTo(0.13 / 3, 12);
    // Differences .02 .04 .07: mean .0433, standard deviation .025166; t(2) at .975 is .95·√(2 / (1 − .95²)) = 4.302653.
    const reach = (0.95 * Math.sqrt(2 / (1 - 0.95 ** 2)) * Math.sqrt(0.0038 / 3 / 2)) / Math.sqrt(3);
    expect(better?.interval?.low).toBeCloseTo(0.13 / 3 - reach, 10);
    expect(better?.interval?.high).toBeCloseTo(0.13 / 3 + reach, 10);
    // All of 3 differences have one sign: 2 of 8 patterns are as far. Of −.01 .01 −.01 6 are.
    const pValues = [0.25, 1];
    expect(better?.overSeeds?.pValue).toBe(0.25);
    expect(worse?.overSeeds?.pValue).toBe(1);
    expect(comparisons.methods.map(({ overSeeds }) => overSeeds?.adjusted)).toEqual(holm(pValues));
    expect(better).toMatchObject({ overExamples: null, bootstrap: null, seeds: [1, 2, 3] });
  });

  it('tests the answers of one seed with McNemar’s mid-p', () => {
    const methods = { first: method([0.4]), other: method([0.9]) };
    const comparisons = compareMethods(methods, [
      said('first', 1, '1000110000'),
      said('other', 1, '1111110111'),
    ]);
    const [other] = comparisons?.methods ?? [];
    expect(comparisons?.reference).toBe('first');
    // 6 that the other alone got right, 0 that the first alone did: mid-p = 2⁻⁶.
    expect(other?.overExamples).toMatchObject({ test: 'McNemar mid-p', examples: 10 });
    expect(other?.overExamples?.pValue).toBeCloseTo(1 / 64, 12);
    expect(other?.overExamples?.adjusted).toBe(other?.overExamples?.pValue);
    expect(other).toMatchObject({ overSeeds: null, interval: null });
    // The difference of ten examples, 6 of them 1: a mean of ten draws of 0.6.
    expect(other?.bootstrap?.low).toBeCloseTo(0.3, 10);
    expect(other?.bootstrap?.high).toBeCloseTo(0.9, 10);
  });

  it('tests the answers of several seeds with the number of seeds that are right', () => {
    const methods = { fixed: method([0.5, 0.5]), other: method([0.5, 0.5]) };
    const predictions = [
      said('fixed', 1, '10010'),
      said('fixed', 2, '10000'),
      said('other', 1, '11110'),
      said('other', 2, '11000'),
    ];
    // Differences 0 2 1 0 0: both of the two signs have to be alike, 2 of 4.
    const [other] = compareMethods(methods, predictions)?.methods ?? [];
    expect(other?.overExamples).toMatchObject({ test: 'paired permutation', examples: 5, pValue: 0.5 });
    expect(compareMethods(methods, predictions.slice(1))?.methods[0]?.overExamples).toBeNull();
  });

  it('gives the same interval for accuracy as for a score that is taken anew of every resample', () => {
    const methods = { fixed: method([0.5, 0.5]), other: method([0.5, 0.5]) };
    const predictions = [
      said('fixed', 1, '1001010001'),
      said('fixed', 2, '1000110010'),
      said('other', 1, '1111010110'),
      said('other', 2, '1100111011'),
    ];
    // With one class the mean over the classes is the accuracy.
    const others = predictions.map((each) => ({ ...each, metric: 'mean-per-class-accuracy' as const }));
    const [fast] = compareMethods(methods, predictions)?.methods ?? [];
    const [slow] = compareMethods(methods, others)?.methods ?? [];
    expect(fast?.bootstrap?.resamples).toBe(2000);
    expect(fast?.bootstrap?.low).toBeCloseTo(slow?.bootstrap?.low ?? NaN, 12);
    expect(fast?.bootstrap?.high).toBeCloseTo(slow?.bootstrap?.high ?? NaN, 12);
  });

  it('leaves out what cannot be paired', () => {
    expect(compareMethods({ fixed: method([0.5]) })).toBeUndefined();
    const methods = { fixed: method([0.5]), other: method([0.5]) };
    const others = { ...said('other', 1, '11'), examples: said('other', 1, '011').examples.slice(1) };
    expect(compareMethods(methods, [said('fixed', 1, '10'), others])?.methods[0]?.overExamples).toBeNull();
    const numbers = (name: string, wrong: number): RunPredictions => ({
      method: name,
      seed: 1,
      metric: 'pearson',
      examples: [1, 2, 4].map((label, index) => ({
        id: `${index}`,
        label,
        prediction: label * (index === 1 ? wrong : 1),
        probabilities: null,
      })),
    });
    const [regression] = compareMethods(methods, [numbers('fixed', 1), numbers('other', 2)])?.methods ?? [];
    expect(regression?.overExamples).toBeNull();
    expect(regression?.bootstrap?.low).toBeLessThan(0);
  });

  it('puts the examples of several tasks together, and leaves out the interval of their scores', () => {
    const methods = { fixed: method([0.5]), other: method([0.5]) };
    const [other] =
      compareMethods(methods, [
        said('fixed', 1, '000', 'mail'),
        said('other', 1, '111', 'mail'),
        said('fixed', 1, '100', 'film'),
        said('other', 1, '111', 'film'),
      ])?.methods ?? [];
    expect(other?.overExamples).toMatchObject({ test: 'McNemar mid-p', examples: 6 });
    expect(other?.overExamples?.pValue).toBeCloseTo(2 ** -5, 12);
    expect(other?.bootstrap).toBeNull();
  });
});
