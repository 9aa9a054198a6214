import { describe, expect, it } from '@jest/globals';

import { estimateOf } from './estimate.js';
import type { MethodMeasures } from './measure.js';

const options = {
  steps: 11,
  evaluateEvery: 5,
  accumulation: 2,
  training: { learningRates: { prompt: 1, networks: 1, head: 1, weights: 1 } },
};
const measures: MethodMeasures = {
  shapes: { 'representation.prompt': [4, 8] },
  head: { 'head.weight': [2, 8], 'head.bias': [2] },
  passSeconds: 0.5,
  exampleSeconds: 0.01,
  features: undefined,
};

describe('estimateOf', () => {
  it('counts passes, and evaluations after steps 5, 10 and 11', () => {
    expect(estimateOf('fixed', options, [{ task: { name: 'a', validation: 100 }, of: measures }])).toEqual({
      method: 'fixed',
      trainableParameters: 4 * 8 + 2 * 8 + 2,
      shapes: { ...measures.shapes, ...measures.head },
      stepSeconds: 1,
      runSeconds: 11 * 1 + 3 * 1,
    });
  });

  it('counts a shared prompt once and every head, and evaluates all tasks', () => {
    const slow = { ...measures, passSeconds: 1.5, head: { 'head.weight': [3, 8] } };
    const estimate = estimateOf('fixed', options, [
      { task: { name: 'a', validation: 100 }, of: measures },
      { task: { name: 'b', validation: 50 }, of: slow },
    ]);
    expect(estimate).toMatchObject({ trainableParameters: 32 + 18 + 24, stepSeconds: 2 });
    expect(estimate.runSeconds).toBeCloseTo(11 * 2 + 3 * 1.5, 12);
    expect(Object.keys(estimate.shapes)).toContain('b/head.weight');
  });

  it('evaluates once what is not trained', () => {
    const frozen = { ...measures, shapes: {}, head: {}, passSeconds: 0 };
    const task = { name: 'a', validation: 100 };
    expect(estimateOf('frozen', options, [{ task, of: frozen }])).toMatchObject({
      trainableParameters: 0,
      runSeconds: 1,
    });
  });
});
