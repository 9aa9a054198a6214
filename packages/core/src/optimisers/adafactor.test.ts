import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { stream } from '../random/stream.js';
import { createAdafactor } from './adafactor.js';
import type { AdafactorOptions } from './adafactor.js';

type Matrix = number[][];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const rms = (matrix: Matrix): number =>
  Math.sqrt(sum(matrix.flat().map((x) => x * x)) / matrix.flat().length);

/** Shazeer and Stern 2018, algorithm 4 (algorithm 5 for a single row where `whole`), in float64. */
class Textbook {
  private t = 0;
  private readonly R: number[];
  private readonly C: number[];
  private readonly V: Matrix;
  private readonly M: Matrix;

  constructor(
    readonly X: Matrix,
    private readonly options: AdafactorOptions,
    private readonly whole = false,
  ) {
    this.R = X.map(() => 0);
    this.C = (X[0] ?? []).map(() => 0);
    this.V = X.map((row) => row.map(() => 0));
    this.M = X.map((row) => row.map(() => 0));
  }

  step(G: Matrix): void {
    const { learningRate, decayRate = 0.8, clipThreshold = 1, beta1, weightDecay = 0 } = this.options;
    const { relativeStep = false, scaleParameter = false } = this.options;
    const t = ++this.t;
    const beta2 = 1 - t ** -decayRate;
    const squares = G.map((row) => row.map((g) => g * g + 1e-30));
    // The sums 1ᵀ and 1 of the paper; V̂ = R C / 1ᵀR does not see that they are not means.
    squares.forEach((row, i) => (this.R[i] = beta2 * (this.R[i] ?? 0) + (1 - beta2) * sum(row)));
    this.C.forEach((c, j) => {
      this.C[j] = beta2 * c + (1 - beta2) * sum(squares.map((row) => row[j] ?? 0));
    });
    const U = G.map((row, i) =>
      row.map((g, j) => {
        const v = beta2 * (this.V[i]?.[j] ?? 0) + (1 - beta2) * (squares[i]?.[j] ?? 0);
        (this.V[i] ?? [])[j] = v;
        const factored = ((this.R[i] ?? 0) * (this.C[j] ?? 0)) / sum(this.R);
        return g / Math.sqrt(this.whole ? v : factored);
      }),
    );
    const alpha =
      learningRate *
      (relativeStep ? Math.min(1e-2, 1 / Math.sqrt(t)) : 1) *
      (scaleParameter ? Math.max(1e-3, rms(this.X)) : 1);
    const clip = Math.max(1, rms(U) / clipThreshold);
    this.X.forEach((row, i) => {
      row.forEach((x, j) => {
        let change = (alpha * (U[i]?.[j] ?? 0)) / clip;
        if (beta1 !== undefined) {
          change = beta1 * (this.M[i]?.[j] ?? 0) + (1 - beta1) * change;
          (this.M[i] ?? [])[j] = change;
        }
        row[j] = x - alpha * weightDecay * x - change;
      });
    });
  }
}

function draws(rows: number, columns: number, random: ReturnType<typeof stream>): Matrix {
  // Rows of very different size: the factors matter.
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, () => Math.fround(10 ** (i - 1) * random.normal())),
  );
}

const variants: AdafactorOptions[] = [
  { learningRate: 0.3 },
  { learningRate: 0.3, clipThreshold: 0.1 },
  { learningRate: 0.3, clipThreshold: 100, decayRate: 0.5 },
  { learningRate: 0.05, weightDecay: 0.1 },
  { learningRate: 0.05, beta1: 0.9, weightDecay: 0.1 },
  { learningRate: 1, relativeStep: true, scaleParameter: true },
  { learningRate: 0.1, scaleParameter: true, weightDecay: 0.1 },
];

describe('createAdafactor', () => {
  it.each(variants)('follows the formula on matrices, %j', (options) => {
    const random = stream(3, 'adafactor');
    const first = new Textbook(draws(3, 4, random), options);
    const second = new Textbook(draws(3, 4, random), options);
    const one = new Map([['w', { shape: [3, 4], values: Float32Array.from(first.X.flat()) }]]);
    const both = Float32Array.from([...first.X.flat(), ...second.X.flat()]);
    // A stack of matrices clips and scales as one tensor: compare where neither is in play.
    const stacked = new Map([['w', { shape: [2, 3, 4], values: both }]]);
    const single = createAdafactor(options);
    const free = { learningRate: 0.01, clipThreshold: 1e6 };
    const pool = createAdafactor(free);
    const halves = [first, second].map(
      ({ X }) =>
        new Textbook(
          X.map((row) => [...row]),
          free,
        ),
    );
    for (let step = 0; step < 12; step++) {
      const gradient = draws(3, 4, random);
      const other = draws(3, 4, random);
      first.step(gradient);
      single.step(one, new Map([['w', Float32Array.from(gradient.flat())]]));
      halves[0]?.step(gradient);
      halves[1]?.step(other);
      pool.step(stacked, new Map([['w', Float32Array.from([...gradient.flat(), ...other.flat()])]]));
    }
    one.get('w')?.values.forEach((value, index) => {
      expect(value).toBeCloseTo(first.X.flat()[index] ?? NaN, 4);
    });
    stacked.get('w')?.values.forEach((value, index) => {
      expect(value).toBeCloseTo(halves.flatMap(({ X }) => X.flat())[index] ?? NaN, 4);
    });
  });

  it.each(variants)('follows the formula on vectors, %j', (options) => {
    const random = stream(4, 'adafactor');
    const book = new Textbook(draws(1, 6, random), options, true);
    const parameters = new Map([['b', { shape: [6], values: Float32Array.from(book.X.flat()) }]]);
    const optimiser = createAdafactor(options);
    for (let step = 0; step < 12; step++) {
      const gradient = draws(1, 6, random);
      book.step(gradient);
      optimiser.step(parameters, new Map([['b', Float32Array.from(gradient.flat())]]));
    }
    parameters.get('b')?.values.forEach((value, index) => {
      expect(value).toBeCloseTo(book.X.flat()[index] ?? NaN, 4);
    });
  });

  it('keeps rows and columns of a matrix only', () => {
    const optimiser = createAdafactor({ learningRate: 0.3 });
    const tensor = (...shape: number[]) => ({
      shape,
      values: new Float32Array(shape.reduce((a, b) => a * b)),
    });
    const parameters = new Map([
      ['prompt', tensor(5, 7)],
      ['pool', tensor(2, 5, 7)],
      ['bias', tensor(7)],
    ]);
    optimiser.step(
      parameters,
      new Map([...parameters].map(([name, { values }]) => [name, values.map(() => 1)])),
    );
    expect(
      Object.fromEntries([...optimiser.state().tensors].map(([name, { shape }]) => [name, shape])),
    ).toEqual({
      'prompt/steps': [],
      'prompt/row': [5],
      'prompt/column': [7],
      'pool/steps': [],
      'pool/row': [2, 5],
      'pool/column': [2, 7],
      'bias/steps': [],
      'bias/second': [7],
    });
  });

  it('stays finite on a gradient of zeros', () => {
    const parameters = new Map([['w', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]);
    const optimiser = createAdafactor({ learningRate: 0.3 });
    for (let step = 0; step < 3; step++) optimiser.step(parameters, new Map([['w', new Float32Array(4)]]));
    expect([...(parameters.get('w')?.values ?? [])]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    { learningRate: -1 },
    { learningRate: 1, decayRate: 0 },
    { learningRate: 1, clipThreshold: 0 },
    { learningRate: 1, beta1: 1 },
    { learningRate: 1, epsilon: 0 },
    { learningRate: 1, minimumScale: -1 },
  ] as AdafactorOptions[])('refuses %j', (options) => {
    expect(() => createAdafactor(options)).toThrow(ConfigurationError);
  });
});
