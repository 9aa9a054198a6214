import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DataError,
  ModelError,
  nullThrows,
  type FineTuning,
  type FineTuningStep,
  type FrozenBackbone,
  type ParameterSet,
} from '@dynaprompt/core';
import { bundledModels, miniBert } from '@dynaprompt/mini-models';
import { InvalidInputError } from '@dynaprompt/onnx-autodiff';
import { along, at, crossEntropy, derivative, distance, inner } from '../testing/numbers.js';
import { normals } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import type { HeadOptions } from '../backbone/head.js';
import { createTextEncoder } from './text-encoder.js';

const WIDTH = 256;
const examples: TextExample[] = [
  { text: 'a quiet film about nothing , and nothing in it is new' },
  { text: 'a man sleeps', pair: 'somebody is wide awake here , here and here' },
];
const labels = [1, 0];
const batch = { examples, labels: Int32Array.from(labels) };
const heads = {
  linear: { kind: 'linear', classes: 3, pooling: 'mean' },
  verbaliser: { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['bad', 'good', 'funny'] },
} as const satisfies Readonly<Record<string, HeadOptions>>;

const TABLE = 'bert.embeddings.word_embeddings.weight';
/** A weight of every kind, by a part of its name; numbered products in the order of query, key, value, output, two of the MLP. */
const KINDS: readonly (readonly [string, (name: string, shape: readonly number[]) => boolean])[] = [
  ['token embeddings', (name) => name === TABLE],
  ['position embeddings', (name) => name.includes('position_embeddings')],
  ['token-type embeddings', (name) => name.includes('token_type_embeddings')],
  ['scale of the embeddings', (name) => name === 'bert.embeddings.LayerNorm.weight'],
  ['shift of the embeddings', (name) => name === 'bert.embeddings.LayerNorm.bias'],
  ['query bias', (name) => name.includes('layer.1.attention.self.query.bias')],
  ['value bias', (name) => name.includes('layer.0.attention.self.value.bias')],
  ['output bias', (name) => name.includes('layer.3.attention.output.dense.bias')],
  ['scale within a layer', (name) => name.includes('layer.2.attention.output.LayerNorm.weight')],
  ['MLP bias', (name) => name.includes('layer.2.intermediate.dense.bias')],
  ['shift of the last layer', (name) => name.includes('layer.3.output.LayerNorm.bias')],
  ['first product (query)', (name) => name === 'onnx::MatMul_634'],
  ['second product (key)', (name) => name === 'onnx::MatMul_637'],
  ['third product (value)', (name) => name === 'onnx::MatMul_640'],
  ['fourth product (output)', (name) => name === 'onnx::MatMul_644'],
  ['widening product of the MLP', (_, shape) => shape.join() === '256,1024'],
  ['narrowing product of the MLP', (_, shape) => shape.join() === '1024,256'],
];

async function copyOf(backbone: FrozenBackbone<TextExample>): Promise<FineTuning<TextExample>> {
  return nullThrows(await backbone.fineTuning?.(), 'the encoder cannot be fine-tuned');
}

/** left + scale · right; weights are long, so that this is written to be fast. */
function shifted(left: Float32Array, right: Float32Array, scale: number): Float32Array {
  const sum = new Float32Array(left.length);
  for (let index = 0; index < sum.length; index++)
    sum[index] = (left[index] ?? NaN) + scale * (right[index] ?? NaN);
  return sum;
}

/** values −= rate · gradient; millions of them. */
function descend(values: Float32Array, gradient: Float32Array, rate: number): void {
  for (let index = 0; index < values.length; index++)
    values[index] = (values[index] ?? NaN) - rate * (gradient[index] ?? NaN);
}

function product(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? NaN) * (right[index] ?? NaN);
  return sum;
}

function expectSameBits(actual: FineTuningStep, expected: FineTuningStep): void {
  expect(actual.loss).toBe(expected.loss);
  expect(actual.logits).toEqual(expected.logits);
  for (const set of ['weights', 'head'] as const) {
    expect([...actual[set].keys()]).toEqual([...expected[set].keys()]);
    for (const [name, { buffer, byteOffset, byteLength }] of actual[set]) {
      const other = expected[set].get(name) ?? new Float32Array();
      const bytes = Buffer.from(other.buffer, other.byteOffset, other.byteLength);
      expect(bytes.equals(Buffer.from(buffer, byteOffset, byteLength))).toBe(true);
    }
  }
}

describe.each(Object.entries(heads))('fine-tuning with a %s head', (kind, options) => {
  let backbone: FrozenBackbone<TextExample>;
  let tuning: FineTuning<TextExample>;
  let weights: ParameterSet;
  let head: ParameterSet;
  let step: FineTuningStep;
  beforeAll(async () => {
    backbone = await createTextEncoder(miniBert, { threads: 1, reserve: 4, head: options });
    tuning = await copyOf(backbone);
    weights = tuning.initialWeights();
    head = backbone.initialHead(1);
    head.get('head.weight')?.values.set(normals('weight', 3 * WIDTH, 0.2));
    step = await tuning.differentiate(batch, weights, head);
  });
  afterAll(async () => {
    await tuning.release();
    await backbone.release();
  });

  const changed = (name: string, direction: Float32Array, scale: number): ParameterSet => {
    const { shape, values } = weights.get(name) ?? { shape: [], values: new Float32Array() };
    return new Map(weights).set(name, { shape, values: shifted(values, direction, scale) });
  };

  it('starts as the frozen backbone', async () => {
    const expected = await backbone.predict(examples, undefined, head);
    expect(distance(await tuning.predict(examples, weights, head), expected)).toBeLessThan(1e-5);
    expect(distance(step.logits, expected)).toBeLessThan(1e-5);
    expect(Math.abs(step.loss - crossEntropy(step.logits, labels))).toBeLessThan(1e-6);
  });

  it('has every weight that the logits depend on, and only those', () => {
    const count = [...weights.values()].reduce((sum, { values }) => sum + values.length, 0);
    const { parameters } = bundledModels['mini-bert'];
    const ofLanguageHead = WIDTH * WIDTH + 3 * WIDTH + 8192;
    expect(count).toBe(kind === 'verbaliser' ? parameters : parameters - ofLanguageHead);
    expect([...weights.keys()].filter((name) => name.startsWith('cls.')).length).toBe(
      kind === 'verbaliser' ? 4 : 0,
    );
    for (const { shape, values } of weights.values())
      expect(values.length).toBe(shape.reduce((product, extent) => product * extent, 1));
    expect([...step.weights.keys()]).toEqual([...weights.keys()]);
    expect([...step.head.keys()]).toEqual([...head.keys()]);
    for (const [name, gradient] of step.weights)
      expect(gradient).toHaveLength(weights.get(name)?.values.length ?? 0);
  });

  it.each(KINDS)('has the gradient of finite differences: %s', async (_kind, isIt) => {
    const [name = '', { values = new Float32Array() } = {}] =
      [...weights].find(([each, { shape }]) => isIt(each, shape)) ?? [];
    const gradient = step.weights.get(name) ?? new Float32Array();
    const norm = Math.sqrt(product(gradient, gradient));
    expect(norm).toBeGreaterThan(1e-5);
    // Along its own direction the gradient has its own length, along a random one its part there: along their sum both.
    const random = values.map((_, index) => Math.sin(index * index) / Math.sqrt(values.length));
    const direction = shifted(random, gradient, 1 / norm);
    const numeric = await derivative(
      async (shift) =>
        crossEntropy(await tuning.predict(examples, changed(name, direction, shift), head), labels),
      0.02,
    );
    const analytic = product(gradient, direction);
    const scale = Math.max(Math.abs(analytic), Math.abs(numeric));
    expect(Math.abs(analytic - numeric)).toBeLessThan(0.01 * scale + 1e-4);
  });

  it('has the gradient of the head', async () => {
    for (const [name, { shape, values }] of head) {
      const direction = normals(name, values.length);
      const numeric = await derivative(async (shift) => {
        const other = new Map(head).set(name, { shape, values: along(values, direction, shift) });
        return crossEntropy(await tuning.predict(examples, weights, other), labels);
      }, 0.02);
      const analytic = inner(step.head.get(name) ?? [], direction);
      expect(Math.abs(analytic - numeric)).toBeLessThan(0.01 * Math.abs(numeric) + 3e-4);
    }
  });

  it('adds up what a token gets that stands in several places, and gives words that are absent what the head gives', () => {
    const gradient = step.weights.get(TABLE) ?? new Float32Array();
    const touched = Array.from({ length: 8192 }, (_, id) =>
      gradient.subarray(id * WIDTH, (id + 1) * WIDTH).some((value) => value !== 0),
    ).filter(Boolean).length;
    // The tied output layer of a verbaliser has a gradient for its class words; nobody else reads the table.
    expect(touched).toBeGreaterThan(15);
    expect(touched).toBeLessThan(30);
    const types = step.weights.get('bert.embeddings.token_type_embeddings.weight') ?? [];
    const positions = step.weights.get('bert.embeddings.position_embeddings.weight') ?? [];
    // Every token has a position and a type, so both gradients sum up to the same.
    for (let column = 0; column < WIDTH; column++) {
      const total = (values: ArrayLike<number>, rows: number): number =>
        Array.from({ length: rows }).reduce<number>(
          (sum, _, row) => sum + at(values, row * WIDTH + column),
          0,
        );
      expect(total(types, 2)).toBeCloseTo(total(positions, 128), 5);
    }
  });

  it('gives the same bits twice, and in another copy', async () => {
    // More than one thread: that is where sums could change their order.
    const threaded = await createTextEncoder(miniBert, { threads: 2, reserve: 4, head: options });
    const [one, other] = [await copyOf(threaded), await copyOf(threaded)];
    const first = await one.differentiate(batch, weights, head);
    expectSameBits(await one.differentiate(batch, weights, head), first);
    expectSameBits(await other.differentiate(batch, other.initialWeights(), head), first);
    await one.release();
    await other.release();
    await threaded.release();
  });

  it('drives the loss down in 30 steps of plain gradient descent, and leaves the backbone frozen', async () => {
    const words = ['good', 'bad', 'funny', 'slow', 'new', 'old', 'quiet', 'loud'];
    const eight = {
      examples: words.map((word) => ({ text: `a ${word} film` })),
      labels: Int32Array.from(words, (_, index) => index % 2),
    };
    const [tuned, tunedHead] = [tuning.initialWeights(), backbone.initialHead(2)];
    const before = await backbone.predict(examples, undefined, head);
    const losses: number[] = [];
    for (let index = 0; index < 30; index++) {
      const { loss, ...gradients } = await tuning.differentiate(eight, tuned, tunedHead);
      losses.push(loss);
      for (const [parameters, set] of [
        [tuned, gradients.weights],
        [tunedHead, gradients.head],
      ] as const) {
        for (const [name, { values }] of parameters)
          descend(values, set.get(name) ?? new Float32Array(), 0.02);
      }
    }
    expect(at(losses, 29)).toBeLessThan(0.5 * at(losses, 0));
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(await backbone.predict(examples, undefined, head)).toEqual(before);
    expect(await tuning.predict(examples, weights, head)).not.toEqual(
      await tuning.predict(examples, tuned, head),
    );
  });
});

describe('refused calls', () => {
  it('name weights, examples and labels at fault', async () => {
    const backbone = await createTextEncoder(miniBert, { threads: 1, reserve: 4, head: heads.linear });
    const tuning = await copyOf(backbone);
    const [weights, head] = [tuning.initialWeights(), backbone.initialHead(1)];
    const missing = new Map(weights);
    missing.delete(TABLE);
    await expect(tuning.predict(examples, missing, head)).rejects.toThrow(TABLE);
    await expect(tuning.predict(examples, missing, head)).rejects.toBeInstanceOf(InvalidInputError);
    const other = new Map(weights).set(TABLE, { shape: [3], values: new Float32Array(3) });
    await expect(tuning.predict(examples, other, head)).rejects.toThrow(/word_embeddings.*\[3\]/);
    await expect(tuning.predict([], weights, head)).rejects.toBeInstanceOf(DataError);
    const wrong = { examples, labels: Int32Array.of(0, 3) };
    await expect(tuning.differentiate(wrong, weights, head)).rejects.toThrow(/label 3/);
    // The copy outlives the backbone, and ends by itself.
    await backbone.release();
    await expect(backbone.fineTuning?.()).rejects.toBeInstanceOf(ModelError);
    expect(await tuning.predict(examples, weights, head)).toHaveLength(6);
    await tuning.release();
    await expect(tuning.predict(examples, weights, head)).rejects.toThrow(/released/);
  });
});
