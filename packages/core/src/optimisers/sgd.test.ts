import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { createSgd } from './sgd.js';
import type { SgdOptions } from './sgd.js';

/** Values of one number after each gradient, by the formula of PyTorch's documentation in float64. */
function textbook(options: SgdOptions, start: number, gradients: readonly number[]): number[] {
  const { learningRate: rate, momentum: mu = 0.9, dampening: tau = 0, nesterov = false } = options;
  const lambda = options.weightDecay ?? 0;
  let theta = start;
  let b = 0;
  return gradients.map((gradient, t) => {
    let g = gradient + lambda * theta;
    if (mu !== 0) {
      b = t > 0 ? mu * b + (1 - tau) * g : g;
      g = nesterov ? g + mu * b : b;
    }
    return (theta = theta - rate * g);
  });
}

describe('createSgd', () => {
  it.each([
    { learningRate: 0.1 },
    { learningRate: 0.1, momentum: 0 },
    { learningRate: 0.1, momentum: 0.5, dampening: 0.3 },
    { learningRate: 0.1, momentum: 0.9, nesterov: true },
    { learningRate: 0.1, momentum: 0.9, weightDecay: 0.2 },
    { learningRate: 0.1, momentum: 0.8, weightDecay: 0.2, nesterov: true },
  ] as SgdOptions[])('follows the formula, %j', (options) => {
    const gradients = [1, -0.5, 2, 0.25, -3, 0, 1.5];
    const parameters = new Map([['w', { shape: [1], values: Float32Array.of(2) }]]);
    const optimiser = createSgd(options);
    for (const expected of textbook(options, 2, gradients)) {
      const gradient = gradients.shift() ?? NaN;
      optimiser.step(parameters, new Map([['w', Float32Array.of(gradient)]]));
      expect(parameters.get('w')?.values[0]).toBeCloseTo(expected, 5);
    }
  });

  it('adds weight decay to the gradient after it was clipped', () => {
    const parameters = new Map([['w', { shape: [1], values: Float32Array.of(2) }]]);
    const options = { learningRate: 0.1, momentum: 0, weightDecay: 0.5, clipNorm: 1 };
    createSgd(options).step(parameters, new Map([['w', Float32Array.of(10)]]));
    expect(parameters.get('w')?.values[0]).toBeCloseTo(2 - 0.1 * (1 + 0.5 * 2), 6);
  });

  it('remembers a buffer only where there is momentum', () => {
    const namesOf = (momentum: number): string[] => {
      const optimiser = createSgd({ learningRate: 0.1, momentum });
      const parameters = new Map([['w', { shape: [1], values: Float32Array.of(2) }]]);
      optimiser.step(parameters, new Map([['w', Float32Array.of(1)]]));
      return [...optimiser.state().tensors.keys()];
    };
    expect(namesOf(0.9)).toEqual(['w/steps', 'w/momentum']);
    expect(namesOf(0)).toEqual(['w/steps']);
  });

  it.each([
    { learningRate: -1 },
    { learningRate: 1, momentum: 1 },
    { learningRate: 1, dampening: -1 },
    { learningRate: 1, weightDecay: NaN },
    { learningRate: 1, nesterov: true, momentum: 0 },
    { learningRate: 1, nesterov: true, dampening: 0.1 },
  ] as SgdOptions[])('refuses %j', (options) => {
    expect(() => createSgd(options)).toThrow(ConfigurationError);
  });
});
