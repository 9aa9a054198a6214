import { describe, expect, it } from '@jest/globals';
import type { ParameterSet } from '../contracts/tensor.js';
import { DataError } from '../errors.js';
import { stream } from '../random/stream.js';
import { createAdafactor } from './adafactor.js';
import { createAdamW } from './adamw.js';
import type { Optimiser, OptimiserState } from './optimiser.js';
import type { OptimiserOptions } from './options.js';
import { createSchedule } from './schedule.js';
import { createSgd } from './sgd.js';

const optimisers: [string, (options: OptimiserOptions) => Optimiser][] = [
  ['AdamW', createAdamW],
  ['Adafactor', createAdafactor],
  ['Adafactor with a first moment', (options) => createAdafactor({ ...options, beta1: 0.9 })],
  ['SGD', createSgd],
  ['SGD without momentum', (options) => createSgd({ ...options, momentum: 0 })],
];

function parameter(...values: number[]) {
  return { shape: [values.length], values: Float32Array.from(values) };
}

/** The state as a checkpoint in JSON would give it back. */
function throughJson({ step, tensors }: OptimiserState): OptimiserState {
  const text = JSON.stringify({
    step,
    tensors: [...tensors].map(([name, { shape, values }]) => [name, shape, [...values]]),
  });
  const read = JSON.parse(text) as { step: number; tensors: [string, number[], number[]][] };
  return {
    step: read.step,
    tensors: new Map(
      read.tensors.map(([name, shape, values]) => [name, { shape, values: Float32Array.from(values) }]),
    ),
  };
}

/** Bits of all parameters after 40 steps; the vector has no gradient in every third one. */
function trained(create: (options: OptimiserOptions) => Optimiser, interruptAt?: number): number[][] {
  const random = stream(9, 'gradients');
  const draw = (count: number): Float32Array => new Float32Array(count).map(() => random.normal());
  const parameters: ParameterSet = new Map([
    ['/encoder/weight', { shape: [2, 3, 4], values: draw(24) }],
    ['bias', { shape: [5], values: draw(5) }],
  ]);
  const options: OptimiserOptions = {
    learningRate: 0.03,
    weightDecay: 0.1,
    clipNorm: 2,
    schedule: createSchedule({ kind: 'cosine', warmUp: 5, steps: 40 }),
    groups: [{ prefix: 'bias', learningRate: 0.1 }],
  };
  let optimiser = create(options);
  for (let step = 0; step < 40; step++) {
    if (step === interruptAt) {
      const state = optimiser.state();
      // A copy: what the old optimiser goes on to do is nothing to the new one.
      const others = new Map([['bias', parameter(1, 2, 3, 4, 5)]]);
      optimiser.step(others, new Map([['bias', Float32Array.of(1, 2, 3, 4, 5)]]));
      optimiser = create(options);
      optimiser.restore(throughJson(state));
    }
    const weight = draw(24);
    const bias = draw(5);
    const gradients = new Map([['/encoder/weight', weight]]);
    if (step % 3 !== 0) gradients.set('bias', bias);
    optimiser.step(parameters, gradients);
  }
  return [...parameters.values()].map(({ values }) => [...new Int32Array(values.slice().buffer)]);
}

describe.each(optimisers)('%s', (_, create) => {
  it('goes on from a state bit for bit', () => {
    const whole = trained(create);
    expect(trained(create)).toEqual(whole);
    for (const step of [0, 1, 7, 20]) expect(trained(create, step)).toEqual(whole);
  });

  it('hands out a copy of its state', () => {
    const parameters = new Map([['a', parameter(1, 2)]]);
    const gradients = new Map([['a', Float32Array.of(1, -1)]]);
    const optimiser = create({ learningRate: 0.1 });
    optimiser.step(parameters, gradients);
    const state = optimiser.state();
    const before = JSON.stringify([...state.tensors].map(([name, { values }]) => [name, [...values]]));
    optimiser.step(parameters, gradients);
    expect(JSON.stringify([...state.tensors].map(([name, { values }]) => [name, [...values]]))).toBe(before);
    expect(state.step).toBe(1);
  });

  it('refuses gradients it cannot use, and writes nothing', () => {
    const parameters = new Map([
      ['a', parameter(1)],
      ['b', parameter(1)],
    ]);
    const optimiser = create({ learningRate: 0.1 });
    const attempt = (name: string, ...values: number[]) => {
      const gradients = new Map([
        ['a', Float32Array.of(1)],
        [name, Float32Array.from(values)],
      ]);
      return () => optimiser.step(parameters, gradients);
    };
    expect(attempt('c', 1)).toThrow(/belongs to no parameter/);
    expect(attempt('b', 1, 2)).toThrow(/2 values for 1/);
    expect(attempt('b', NaN)).toThrow(DataError);
    expect(parameters.get('a')?.values[0]).toBe(1);
    expect(optimiser.state()).toEqual({ step: 0, tensors: new Map() });
  });

  it('refuses a state of other parameters, and writes nothing', () => {
    const other = create({ learningRate: 0.1 });
    other.step(new Map([['b', parameter(1, 2)]]), new Map([['b', Float32Array.of(1, 1)]]));
    const { step, tensors } = other.state();
    const optimiser = create({ learningRate: 0.1 });
    const parameters = new Map([
      ['a', parameter(1)],
      ['b', { shape: [1], values: Float32Array.of(1) }],
    ]);
    const odd = new Map(tensors).set('b/velocity', { shape: [1], values: Float32Array.of(1) });
    optimiser.restore({ step, tensors: odd });
    const gradients = new Map([
      ['a', Float32Array.of(1)],
      ['b', Float32Array.of(1)],
    ]);
    expect(() => optimiser.step(parameters, gradients)).toThrow(/state of 'b': holds .*velocity/);
    expect([...parameters.values()].map(({ values }) => values[0])).toEqual([1, 1]);
    const without = new Map([...tensors].filter(([name]) => name !== 'b/steps'));
    without.set('b/odd', { shape: [], values: Float32Array.of(1) });
    expect(() => {
      optimiser.restore({ step, tensors: without });
    }).toThrow(/state of 'b': lacks 'steps'/);
    const torn = new Map(tensors).set('b/steps', { shape: [], values: new Float32Array(2) });
    expect(() => {
      optimiser.restore({ step, tensors: torn });
    }).toThrow(DataError);
  });

  it('clips by the common norm, or by that of each tensor', () => {
    const moved = (clipScope: 'all' | 'tensor', first: number, second: number, clipNorm?: number) => {
      const parameters = new Map([
        ['a', parameter(0, 0)],
        ['b', parameter(0)],
      ]);
      const optimiser = create({ learningRate: 0.1, weightDecay: 0, clipNorm, clipScope });
      const gradients = new Map([
        ['a', Float32Array.of(first, 0)],
        ['b', Float32Array.of(second)],
      ]);
      const { gradientNorm } = optimiser.step(parameters, gradients);
      expect(gradientNorm).toBeCloseTo(Math.hypot(first, second), 5);
      return [...parameters.values()].map(({ values }) => [...values]);
    };
    const close = (actual: number[][], expected: number[][]): void => {
      actual.flat().forEach((value, index) => {
        expect(value).toBeCloseTo(expected.flat()[index] ?? NaN, 6);
      });
    };
    close(moved('all', 3, 4, 1), moved('all', 0.6, 0.8));
    close(moved('tensor', 3, 0.5, 1), moved('tensor', 1, 0.5));
    close(moved('all', 3, 4, 6), moved('all', 3, 4));
  });

  it('gives every group its own rate, under the schedule', () => {
    const moved = (options: OptimiserOptions): number => {
      const parameters = new Map([['head.weight', parameter(1)]]);
      create(options).step(parameters, new Map([['head.weight', Float32Array.of(0.5)]]));
      return parameters.get('head.weight')?.values[0] ?? NaN;
    };
    const grouped = moved({
      learningRate: 5,
      weightDecay: 0,
      schedule: () => 0.5,
      groups: [
        { prefix: 'head.', learningRate: 0.4, weightDecay: 0.1 },
        { prefix: 'head', learningRate: 3 },
      ],
    });
    expect(grouped).toBe(moved({ learningRate: 0.2, weightDecay: 0.1 }));
    expect(grouped).not.toBe(1);
  });
});
