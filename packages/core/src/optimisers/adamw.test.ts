import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { createAdamW } from './adamw.js';
import type { AdamWOptions } from './adamw.js';

function parameter(...values: number[]) {
  return { shape: [values.length], values: Float32Array.from(values) };
}

function stepOnce(options: AdamWOptions, name: string, value: number, gradient: number): number {
  const parameters = new Map([[name, parameter(value)]]);
  createAdamW(options).step(parameters, new Map([[name, Float32Array.of(gradient)]]));
  return parameters.get(name)?.values[0] ?? NaN;
}

describe('createAdamW', () => {
  it('takes two steps that were computed by hand', () => {
    const parameters = new Map([['w', parameter(1)]]);
    const optimiser = createAdamW({ learningRate: 0.1, weightDecay: 0.5, epsilon: 0.1 });
    // m = 0.2, v = 0.004; both corrected: 2 and 4; direction 2 / (2 + 0.1)
    optimiser.step(parameters, new Map([['w', Float32Array.of(2)]]));
    const first = 1 * (1 - 0.1 * 0.5) - (0.1 * 2) / 2.1;
    expect(parameters.get('w')?.values[0]).toBeCloseTo(first, 6);
    // m = 0.9·0.2 + 0.1·(−1) = 0.08, corrected by 1 − 0.81 = 0.19; v = 0.999·0.004 + 0.001 = 0.004996, by 0.001999
    optimiser.step(parameters, new Map([['w', Float32Array.of(-1)]]));
    const direction = 0.08 / 0.19 / (Math.sqrt(0.004996 / 0.001999) + 0.1);
    expect(parameters.get('w')?.values[0]).toBeCloseTo(first * 0.95 - 0.1 * direction, 6);
  });

  it('decays weights apart from the gradient: a zero gradient only shrinks', () => {
    expect(stepOnce({ learningRate: 0.1, weightDecay: 0.5 }, 'w', 2, 0)).toBeCloseTo(1.9, 6);
  });

  it('scales gradients by their common norm', () => {
    const options = { learningRate: 1, weightDecay: 0, epsilon: 1, clipNorm: 1 };
    const parameters = new Map([
      ['a', parameter(0)],
      ['b', parameter(0)],
    ]);
    const gradients = new Map([
      ['a', Float32Array.of(3)],
      ['b', Float32Array.of(4)],
    ]);
    expect(createAdamW(options).step(parameters, gradients)).toEqual({
      step: 0,
      learningRate: 1,
      gradientNorm: 5,
    });
    expect(parameters.get('a')?.values[0]).toBeCloseTo(-0.6 / 1.6, 6);
    expect(parameters.get('b')?.values[0]).toBeCloseTo(-0.8 / 1.8, 6);
  });

  it('scales each gradient by its own norm on request', () => {
    const options = {
      learningRate: 1,
      weightDecay: 0,
      epsilon: 1,
      clipNorm: 1,
      clipScope: 'tensor',
    } as const;
    const parameters = new Map([
      ['gate', parameter(0)],
      ['prompt', parameter(0)],
    ]);
    const gradients = new Map([
      ['gate', Float32Array.of(400)],
      ['prompt', Float32Array.of(0.5)],
    ]);
    expect(createAdamW(options).step(parameters, gradients).gradientNorm).toBeCloseTo(400.0003, 3);
    expect(parameters.get('gate')?.values[0]).toBeCloseTo(-1 / 2, 6);
    expect(parameters.get('prompt')?.values[0]).toBeCloseTo(-0.5 / 1.5, 6);
  });

  it('lets the longest prefix decide, under the schedule', () => {
    const options = {
      learningRate: 0.1,
      weightDecay: 0,
      schedule: () => 0.5,
      groups: [
        { prefix: 'position.', learningRate: 0.4 },
        { prefix: 'position.bias', learningRate: 0.8, weightDecay: 0.5 },
      ],
    };
    expect(stepOnce(options, 'head.weight', 1, 1)).toBeCloseTo(1 - 0.05, 5);
    expect(stepOnce(options, 'position.weight', 1, 1)).toBeCloseTo(1 - 0.2, 5);
    expect(stepOnce(options, 'position.bias', 1, 1)).toBeCloseTo(0.8 - 0.4, 5);
  });

  it('leaves parameters without a gradient alone', () => {
    const parameters = new Map([
      ['a', parameter(1)],
      ['frozen', parameter(1)],
    ]);
    createAdamW({ learningRate: 0.1 }).step(parameters, new Map([['a', Float32Array.of(1)]]));
    expect(parameters.get('frozen')?.values[0]).toBe(1);
  });

  it('counts the steps of every parameter by itself', () => {
    const late = new Map([['late', parameter(1)]]);
    const optimiser = createAdamW({ learningRate: 0.1, weightDecay: 0, epsilon: 0.1 });
    const both = new Map([...late, ['early', parameter(1)]]);
    for (let step = 0; step < 5; step++) optimiser.step(both, new Map([['early', Float32Array.of(1)]]));
    optimiser.step(both, new Map([['late', Float32Array.of(2)]]));
    // as its first step: both corrected moments are those of the gradient
    expect(late.get('late')?.values[0]).toBeCloseTo(1 - (0.1 * 2) / 2.1, 6);
  });

  it('finds the minimum of a quadratic', () => {
    const parameters = new Map([['w', parameter(5, -3)]]);
    const optimiser = createAdamW({ learningRate: 0.1, weightDecay: 0 });
    for (let step = 0; step < 500; step++) {
      const [x = 0, y = 0] = parameters.get('w')?.values ?? [];
      optimiser.step(parameters, new Map([['w', Float32Array.of(2 * (x - 1), 20 * (y - 2))]]));
    }
    const [x, y] = parameters.get('w')?.values ?? [];
    expect(x).toBeCloseTo(1, 2);
    expect(y).toBeCloseTo(2, 2);
  });

  it.each([
    { learningRate: -1 },
    { learningRate: NaN },
    { learningRate: 1, beta1: 1 },
    { learningRate: 1, beta2: -0.1 },
    { learningRate: 1, epsilon: 0 },
    { learningRate: 1, weightDecay: -1 },
    { learningRate: 1, clipNorm: 0 },
    { learningRate: 1, groups: [{ prefix: 'a', learningRate: -1 }] },
  ] as AdamWOptions[])('refuses %j', (options) => {
    expect(() => createAdamW(options)).toThrow(ConfigurationError);
  });
});
