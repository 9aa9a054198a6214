import type { Optimiser } from './optimiser.js';
import type { OptimiserOptions } from './options.js';
import { belowOne, checkOptions, nonNegative, optionCheck, positive } from './options.js';
import type { Update, UpdateRule } from './rule-optimiser.js';
import { optimiserOf } from './rule-optimiser.js';

/** Options of {@link createAdafactor}. Weight decay, 0 by default, is decoupled: a step shrinks values by rate × decay. */
export interface AdafactorOptions extends OptimiserOptions {
  /** c: the second moments of step t are averaged with 1 − t^−c. Default 0.8. */
  readonly decayRate?: number | undefined;
  /** d: an update whose root mean square is above this is scaled down to it. Default 1. */
  readonly clipThreshold?: number | undefined;
  /** β₁ of a moving average of updates. Default: none is kept. */
  readonly beta1?: number | undefined;
  /** ε₁, added to squared gradients. Default 1e-30. */
  readonly epsilon?: number | undefined;
  /** Learning rates become factors of min(10⁻², 1/√t). Default false: they are the step size. */
  readonly relativeStep?: boolean | undefined;
  /** Step sizes are multiplied by max(ε₂, RMS of the parameter). Default false. */
  readonly scaleParameter?: boolean | undefined;
  /** ε₂ of `scaleParameter`. Default 1e-3. */
  readonly minimumScale?: number | undefined;
}

/**
 * Adafactor. Source: Shazeer and Stern 2018 (arXiv 1804.04235), algorithms 4 and 5, with the options of the Hugging Face
 * implementation. The second moments of tensors of two or more axes are kept as means over their last two: `row` [.., r] and
 * `column` [.., c]; those of vectors whole, `second`. `first` is kept with `beta1` only.
 *
 * @throws ConfigurationError naming the option that is out of range.
 */
export function createAdafactor(options: AdafactorOptions): Optimiser {
  const settings: Settings = {
    decayRate: options.decayRate ?? 0.8,
    clipThreshold: options.clipThreshold ?? 1,
    beta1: options.beta1,
    epsilon: options.epsilon ?? 1e-30,
    relativeStep: options.relativeStep ?? false,
    scaleParameter: options.scaleParameter ?? false,
    minimumScale: options.minimumScale ?? 1e-3,
  };
  const check = optionCheck('Adafactor');
  checkOptions(check, options);
  check('decayRate', settings.decayRate, ...positive);
  check('clipThreshold', settings.clipThreshold, ...positive);
  check('beta1', settings.beta1, ...belowOne);
  check('epsilon', settings.epsilon, ...positive);
  check('minimumScale', settings.minimumScale, ...nonNegative);
  return optimiserOf(new Adafactor(settings), options);
}

interface Settings {
  readonly decayRate: number;
  readonly clipThreshold: number;
  readonly beta1: number | undefined;
  readonly epsilon: number;
  readonly relativeStep: boolean;
  readonly scaleParameter: boolean;
  readonly minimumScale: number;
}

class Adafactor implements UpdateRule {
  readonly name = 'Adafactor';
  readonly weightDecay = 0;

  constructor(private readonly settings: Settings) {}

  memoryOf(shape: readonly number[]): Record<string, readonly number[]> {
    const first = this.settings.beta1 === undefined ? {} : { first: shape };
    if (shape.length < 2) return { ...first, second: shape };
    return { ...first, row: shape.slice(0, -1), column: [...shape.slice(0, -2), ...shape.slice(-1)] };
  }

  update(update: Update): void {
    const { values, count, memory, weightDecay } = update;
    const { decayRate, clipThreshold, beta1, relativeStep, scaleParameter, minimumScale } = this.settings;
    const keep = 1 - count ** -decayRate;
    const direction = update.shape.length < 2 ? this.#whole(update, keep) : this.#factored(update, keep);
    const clipping = Math.max(1, rootMeanSquare(direction) / clipThreshold);
    const step =
      update.learningRate *
      (relativeStep ? Math.min(1e-2, 1 / Math.sqrt(count)) : 1) *
      (scaleParameter ? Math.max(minimumScale, rootMeanSquare(values)) : 1);
    const first = beta1 === undefined ? undefined : memory('first');
    for (let index = 0; index < values.length; index++) {
      let change = (step * (direction[index] ?? 0)) / clipping;
      if (first !== undefined && beta1 !== undefined) {
        change = beta1 * (first[index] ?? 0) + (1 - beta1) * change;
        first[index] = change;
      }
      values[index] = (values[index] ?? 0) * (1 - step * weightDecay) - change;
    }
  }

  /** g / √v */
  #whole({ gradient, scale, memory }: Update, keep: number): Float64Array {
    const second = memory('second');
    return Float64Array.from(gradient, (value, index) => {
      const slope = value * scale;
      const square = keep * (second[index] ?? 0) + (1 - keep) * (slope * slope + this.settings.epsilon);
      second[index] = square;
      return slope / Math.sqrt(square);
    });
  }

  /** g / √(r c / mean(r)) for every matrix of the last two axes. */
  #factored({ shape, gradient, scale, memory }: Update, keep: number): Float64Array {
    const [rows = 1, columns = 1] = shape.slice(-2);
    const row = memory('row');
    const column = memory('column');
    const direction = Float64Array.from(gradient, (value) => value * scale);
    for (let matrix = 0; matrix * rows * columns < gradient.length; matrix++) {
      const slopes = direction.subarray(matrix * rows * columns, (matrix + 1) * rows * columns);
      const ofRow = row.subarray(matrix * rows, (matrix + 1) * rows);
      const ofColumn = column.subarray(matrix * columns, (matrix + 1) * columns);
      this.#average(slopes, ofRow, ofColumn, keep);
      const mean = ofRow.reduce((sum, value) => sum + value, 0) / rows;
      for (let index = 0; index < slopes.length; index++) {
        const square = ((ofRow[Math.floor(index / columns)] ?? 0) / mean) * (ofColumn[index % columns] ?? 0);
        slopes[index] = (slopes[index] ?? 0) / Math.sqrt(square);
      }
    }
    return direction;
  }

  /** Moves the running means of g² + ε₁ over rows and over columns on by a step. */
  #average(slopes: Float64Array, row: Float32Array, column: Float32Array, keep: number): void {
    const rows = new Float64Array(row.length);
    const columns = new Float64Array(column.length);
    for (let index = 0; index < slopes.length; index++) {
      const square = (slopes[index] ?? 0) ** 2 + this.settings.epsilon;
      const at = Math.floor(index / columns.length);
      rows[at] = (rows[at] ?? 0) + square / columns.length;
      const along = index % columns.length;
      columns[along] = (columns[along] ?? 0) + square / rows.length;
    }
    rows.forEach((mean, index) => (row[index] = keep * (row[index] ?? 0) + (1 - keep) * mean));
    columns.forEach((mean, index) => (column[index] = keep * (column[index] ?? 0) + (1 - keep) * mean));
  }
}

function rootMeanSquare(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}
