import { describe, expect, it } from '@jest/globals';
import { majorityBaseline } from '../metrics/majority.js';
import { meanCredit } from '../metrics/metrics.js';
import { compareMethods } from './compare-methods.js';
import { methodResult } from './method-result.js';
import { creditOf, examplePredictions, isRight, type RunPredictions, scorePredictions } from './predictions.js';

const credits = [
  new Map([
    [0, 0.3],
    [1, 1],
  ]),
  new Map([[1, 0.6]]),
  new Map<number, number>(),
];

function said(...predictions: readonly number[]) {
  const asked = credits.map((own, index) => ({ id: `${index}`, label: 0, credits: own }));
  return examplePredictions(asked, { logits: new Float32Array(6), predictions });
}

describe('answers that earn a share', () => {
  it('score the mean of what they earn', () => {
    expect(said(0, 1, 1).map(creditOf)).toEqual([0.3, 0.6, 0]);
    expect(said(0, 1, 1).map(isRight)).toEqual([false, true, false]);
    expect(scorePredictions(said(0, 1, 1), 'vqa-accuracy')).toBeCloseTo(0.3, 12);
    expect(scorePredictions(said(1, 0, 0), 'exact-match')).toBeCloseTo(1 / 3, 12);
    expect(meanCredit([0, 1], [0, 0])).toBe(0.5);
    expect(() => meanCredit([0, 1], [0, 0], [1])).toThrow('2 predictions for 1 answers');
  });

  it('are what always the most frequent class earns', () => {
    const creditsOf = (label: number) => credits.map((own) => own.get(label) ?? 0);
    const { label, score } = majorityBaseline([1, 1, 0], [0, 0, 0], 'vqa-accuracy', creditsOf);
    expect([label, score]).toEqual([1, 1.6 / 3]);
  });

  it('are compared by what they earn', () => {
    const method = (value: number) =>
      methodResult([{ seed: 1, seconds: 1, loss: [], validation: [{ step: 1, value }] }], 1);
    const run = (name: string, ...predictions: readonly number[]): RunPredictions => {
      return { method: name, seed: 1, metric: 'vqa-accuracy', examples: said(...predictions) };
    };
    const methods = { fixed: method(0.1), dynamic: method(1.6 / 3) };
    const compared = compareMethods(methods, [run('fixed', 0, 0, 0), run('dynamic', 1, 1, 0)]);
    const [dynamic] = compared?.methods ?? [];
    // Differences 0.7, 0.6, 0: of the four ways to sign the two that differ, two are as far from 0.
    expect(dynamic?.overExamples).toMatchObject({ test: 'paired permutation', examples: 3, pValue: 0.5 });
    // Any resample of these three lies between them.
    expect(dynamic?.bootstrap?.low).toBeGreaterThanOrEqual(0);
    expect(dynamic?.bootstrap?.high).toBeLessThanOrEqual(0.7 + 1e-9);
    expect(dynamic?.bootstrap?.high).toBeGreaterThan(0.5);
  });
});
