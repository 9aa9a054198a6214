import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { nullThrows } from '../errors.js';
import { stream } from '../random/stream.js';
import { selectBackend } from './select-backend.js';

const random = stream(4, 'gradients');

interface Case {
  readonly name: string;
  readonly shapes: number[][];
  readonly apply: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
}

const cases: Case[] = [
  { name: 'a + b, broadcast', shapes: [[2, 3], [3]], apply: tf.add },
  {
    name: 'a + b, broadcast over ones',
    shapes: [
      [2, 1],
      [2, 3],
    ],
    apply: tf.add,
  },
  {
    name: 'a · b, broadcast',
    shapes: [
      [2, 3],
      [1, 3],
    ],
    apply: tf.mul,
  },
  {
    name: 'A B',
    shapes: [
      [2, 3],
      [3, 4],
    ],
    apply: (a, b) => tf.matMul(a, b),
  },
  {
    name: 'Aᵀ B',
    shapes: [
      [3, 2],
      [3, 4],
    ],
    apply: (a, b) => tf.matMul(a, b, true),
  },
  {
    name: 'A Bᵀ',
    shapes: [
      [2, 3],
      [4, 3],
    ],
    apply: (a, b) => tf.matMul(a, b, false, true),
  },
  {
    name: 'Aᵀ Bᵀ',
    shapes: [
      [3, 2],
      [4, 3],
    ],
    apply: (a, b) => tf.matMul(a, b, true, true),
  },
  {
    name: 'softmax',
    shapes: [
      [2, 3],
      [2, 3],
    ],
    apply: (a, b) => tf.add(tf.softmax(a), b),
  },
  {
    name: 'relu',
    shapes: [
      [2, 3],
      [2, 3],
    ],
    apply: (a, b) => tf.add(tf.relu(a), b),
  },
  {
    name: 'reshape',
    shapes: [
      [2, 3],
      [3, 2],
    ],
    apply: (a, b) => tf.add(tf.reshape(a, [3, 2]), b),
  },
  { name: 'sum of an axis', shapes: [[2, 3], [2]], apply: (a, b) => tf.add(tf.sum(a, 1), b) },
  { name: 'sum of all', shapes: [[2, 3], [2]], apply: (a, b) => tf.add(tf.sum(a), b) },
];

beforeAll(async () => {
  await selectBackend({ packageName: '@tensorflow/tfjs-backend-wasm' });
});

describe('derivatives of tfjs operations', () => {
  it.each(cases)('$name agrees with central differences', ({ shapes, apply }) => {
    const values = shapes.map((shape) =>
      Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    );
    const weigh = (inputs: number[][], weights: number[] | undefined): number[] =>
      tf.tidy(() => {
        const [a, b] = inputs.map((input, index) => tf.tensor(input, shapes[index]));
        const output = apply(nullThrows(a, 'a first input'), nullThrows(b, 'a second input'));
        return weights === undefined
          ? [...output.dataSync()]
          : [...output.dataSync()].map((value, index) => value * (weights[index] ?? 0));
      });
    const weights = weigh(values, undefined).map(() => random.normal());
    const total = (inputs: number[][]): number =>
      weigh(inputs, weights).reduce((sum, value) => sum + value, 0);

    const gradients = tf.tidy(() =>
      tf
        .grads((a: tf.Tensor, b: tf.Tensor) => {
          const output = apply(a, b);
          return tf.sum(tf.mul(output, tf.tensor(weights, output.shape)));
        })(values.map((value, index) => tf.tensor(value, shapes[index])))
        .map((gradient) => ({ shape: gradient.shape, values: [...gradient.dataSync()] })),
    );
    const epsilon = 1e-2;
    gradients.forEach((gradient, input) => {
      expect(gradient.shape).toEqual(shapes[input]);
      gradient.values.forEach((derivative, element) => {
        const shifted = (by: number): number[][] =>
          values.map((value, index) =>
            value.map((number, place) => (index === input && place === element ? number + by : number)),
          );
        const difference = (total(shifted(epsilon)) - total(shifted(-epsilon))) / (2 * epsilon);
        expect(Math.abs(derivative - difference)).toBeLessThan(2e-3);
      });
    });
  });
});
