import type { PromptConfiguration } from '../configuration.js';

/**
 * Oracle: the soft relaxation written once more, in plain double precision, to be differentiated by central differences. A
 * hard choice counts as soft − soft(θ₀) + hard, which is what straight-through means.
 */

/** Parameter values by name. */
export type Vectors = ReadonlyMap<string, Float64Array>;

/** One batch, and the upstream gradient that its outputs are paired with. */
export interface Given {
  readonly configuration: PromptConfiguration;
  readonly batch: number;
  readonly width: number;
  readonly layers: number;
  readonly task: number | undefined;
  readonly temperature: number;
  /** [B, d] */
  readonly features: Float32Array;
  readonly noise: Record<Choice, Float32Array>;
  /** `prompts` [B, L, l, d], `position` [B, C], `gates` [B, l] */
  readonly upstream: Readonly<Record<'prompts' | 'position' | 'gates', Float32Array>>;
}

type Choice = 'position' | 'length' | 'representation';

/** ⟨outputs, upstream⟩ + penalty + balance at `parameters`, straight through the choices made at `origin`. */
export function surrogate(parameters: Vectors, origin: Vectors, given: Given): number {
  const { configuration, batch, width, layers, features, noise, upstream, temperature } = given;
  const { slots, position, length, representation, reluLogits } = configuration;
  const size = layers * slots * width;

  const affine = (at: Vectors, name: string, example: number): number[] => {
    const weight = at.get(`${name}.weight`);
    return biasOf(at, name, given).map((bias, row) => {
      if (weight === undefined) return bias;
      const products = range(width).map(
        (column) => (weight[row * width + column] ?? NaN) * (features[example * width + column] ?? NaN),
      );
      return bias + sum(products);
    });
  };
  const logitsOf = (at: Vectors, name: Choice, example: number): number[] => {
    const logits = affine(at, name, example);
    return reluLogits ? logits.map(relu) : logits;
  };
  const soft = (at: Vectors, name: Choice, example: number): number[] => {
    const logits = logitsOf(at, name, example);
    const drawn = (index: number): number => noise[name][example * logits.length + index] ?? 0;
    return softmax(logits.map((value, index) => (value + drawn(index)) / temperature));
  };
  const choose = (name: Choice, example: number): number[] => {
    const before = soft(origin, name, example);
    const best = before.indexOf(Math.max(...before));
    return soft(parameters, name, example).map(
      (value, index) => value - (before[index] ?? 0) + (index === best ? 1 : 0),
    );
  };

  const rows = effectiveRows(parameters, configuration, width);
  const promptOf = (example: number): number[] => {
    if (representation.kind === 'select') {
      const weights =
        representation.mixture === 'hard'
          ? choose('representation', example)
          : softmax(logitsOf(parameters, 'representation', example));
      return range(size).map((index) =>
        sum(weights.map((weight, entry) => weight * (rows[entry * size + index] ?? NaN))),
      );
    }
    if (representation.kind === 'fixed') return rows;
    const { rank } = representation;
    const basis = parameters.get('representation.basis') ?? [];
    const coefficients = affine(parameters, 'representation.update', example);
    return rows.map((value, index) => {
      const [row, column] = [Math.floor(index / width), index % width];
      const terms = range(rank).map(
        (factor) => (coefficients[row * rank + factor] ?? NaN) * (basis[factor * width + column] ?? NaN),
      );
      return value + sum(terms);
    });
  };
  const pair = (values: number[], gradient: Float32Array, example: number): number =>
    sum(values.map((value, index) => value * (gradient[example * values.length + index] ?? NaN)));

  let total = 0;
  for (const example of range(batch)) {
    total += pair(promptOf(example), upstream.prompts, example);
    if (position.level !== 'none') total += pair(choose('position', example), upstream.position, example);
    if (length.level !== 'none') {
      const chosen = choose('length', example);
      const gates = range(slots).map((token) => sum(chosen.slice(token + 1)));
      total += pair(gates, upstream.gates, example);
      const probabilities = softmax(logitsOf(parameters, 'length', example));
      total += (length.penalty / batch) * sum(probabilities.map((value, tokens) => tokens * value));
    }
  }
  if (representation.kind === 'select') {
    const mixtures = range(batch).map((example) => softmax(logitsOf(parameters, 'representation', example)));
    total += representation.balance * squaredVariation(mixtures);
  }
  return total;
}

/** (standard deviation / mean)² of the columns' sums. */
export function squaredVariation(rows: readonly (readonly number[])[]): number {
  const importance = range(rows[0]?.length ?? 0).map((column) => sum(rows.map((row) => row[column] ?? NaN)));
  const mean = sum(importance) / importance.length;
  return sum(importance.map((value) => (value - mean) ** 2)) / importance.length / mean ** 2;
}

/** E or E + MLP(E), flat. */
export function effectiveRows(
  parameters: Vectors,
  { representation, reparameterisation }: PromptConfiguration,
  width: number,
): number[] {
  const name = representation.kind === 'select' ? 'pool' : 'prompt';
  const trained = [...(parameters.get(`representation.${name}`) ?? [])];
  if (reparameterisation.kind === 'none') return trained;
  const dense = (input: number[], layer: string): number[] => {
    const weight = parameters.get(`reparameterisation.${layer}.weight`) ?? [];
    const bias = parameters.get(`reparameterisation.${layer}.bias`) ?? [];
    return Array.from(
      bias,
      (start, row) =>
        start + sum(input.map((value, column) => value * (weight[row * input.length + column] ?? NaN))),
    );
  };
  return range(trained.length / width).flatMap((row) => {
    const input = trained.slice(row * width, (row + 1) * width);
    const hidden = dense(dense(input, 'input').map(relu), 'hidden').map(relu);
    return dense(hidden, 'output').map((value, column) => value + (input[column] ?? NaN));
  });
}

function biasOf(at: Vectors, name: string, { configuration, task }: Given): number[] {
  const biases = [...(at.get(`${name}.bias`) ?? [])];
  if (configuration.tasks === undefined || task === undefined) return biases;
  const count = biases.length / configuration.tasks;
  return biases.slice(task * count, (task + 1) * count);
}

function softmax(logits: number[]): number[] {
  const exponentials = logits.map((value) => Math.exp(value - Math.max(...logits)));
  return exponentials.map((value) => value / sum(exponentials));
}

function relu(value: number): number {
  return Math.max(0, value);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
