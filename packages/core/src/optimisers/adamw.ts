import type { GradientSet, ParameterSet, ParameterTensor } from '../contracts/tensor.js';
import { ConfigurationError, DataError } from '../errors.js';
import type { Optimiser, OptimiserState, OptimiserStep } from './optimiser.js';
import type { Schedule } from './schedule.js';

/** Rates of the parameters whose names start with `prefix`; the longest matching prefix decides. */
export interface ParameterGroup {
  /** e.g. `position.` or `head.`. */
  readonly prefix: string;
  /** Learning rate in place of the base rate; the schedule applies to it too. */
  readonly learningRate?: number | undefined;
  readonly weightDecay?: number | undefined;
}

/** Options of {@link createAdamW}. */
export interface AdamWOptions {
  readonly learningRate: number;
  /** β₁. Default 0.9. */
  readonly beta1?: number | undefined;
  /** β₂. Default 0.999. */
  readonly beta2?: number | undefined;
  /** Default 1e-8. */
  readonly epsilon?: number | undefined;
  /** Decoupled: a step shrinks values by learning rate × weight decay. Default 0.01. */
  readonly weightDecay?: number | undefined;
  /** Gradients are scaled down so that their norm does not exceed this. Default: no clipping. */
  readonly clipNorm?: number | undefined;
  /**
   * Whose norm `clipNorm` bounds: that of all gradients together (default), or of each tensor's own. The gradient of a gate at
   * γ = 0 can be hundreds of times that of a prompt; clipped together, it would silence the prompt.
   */
  readonly clipScope?: 'all' | 'tensor' | undefined;
  readonly groups?: readonly ParameterGroup[] | undefined;
  /** Factor of all learning rates by step. Default: 1. */
  readonly schedule?: Schedule | undefined;
}

interface Moments {
  readonly shape: readonly number[];
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/**
 * AdamW. Source: Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2, with ε outside the bias-corrected root as in
 * PyTorch.
 *
 * @throws ConfigurationError naming the option that is out of range.
 */
export function createAdamW(options: AdamWOptions): Optimiser {
  return new AdamW(options);
}

class AdamW implements Optimiser {
  readonly #options: AdamWOptions;
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  #step = 0;
  #moments = new Map<string, Moments>();

  constructor(options: AdamWOptions) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    const nonNegative = (value: number): boolean => value >= 0;
    const belowOne = (value: number): boolean => value >= 0 && value < 1;
    check('learningRate', options.learningRate, nonNegative, 'a number ≥ 0');
    check('beta1', beta1, belowOne, 'a number in [0, 1)');
    check('beta2', beta2, belowOne, 'a number in [0, 1)');
    check('epsilon', epsilon, (value) => value > 0, 'a positive number');
    check('weightDecay', options.weightDecay, nonNegative, 'a number ≥ 0');
    check('clipNorm', options.clipNorm, (value) => value > 0, 'a positive number');
    for (const { prefix, learningRate, weightDecay } of options.groups ?? []) {
      check(`groups '${prefix}' learningRate`, learningRate, nonNegative, 'a number ≥ 0');
      check(`groups '${prefix}' weightDecay`, weightDecay, nonNegative, 'a number ≥ 0');
    }
    this.#options = options;
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#epsilon = epsilon;
  }

  step(parameters: ParameterSet, gradients: GradientSet): OptimiserStep {
    const norms = checkedNorms(parameters, gradients);
    const gradientNorm = Math.hypot(...norms.values());
    const { learningRate, clipNorm = Infinity, clipScope = 'all', schedule = () => 1 } = this.#options;
    const scaleOf = (norm: number): number => (norm > clipNorm ? clipNorm / norm : 1);
    const step = this.#step++;
    const factor = schedule(step);
    for (const [name, parameter] of parameters) {
      const gradient = gradients.get(name);
      if (gradient === undefined) continue;
      const norm = clipScope === 'all' ? gradientNorm : (norms.get(name) ?? 0);
      this.#update(name, parameter, gradient, scaleOf(norm), factor);
    }
    return { step, learningRate: learningRate * factor, gradientNorm };
  }

  state(): OptimiserState {
    const tensors = new Map<string, ParameterTensor>();
    for (const [name, { shape, first, second }] of this.#moments) {
      tensors.set(`${name}/first`, { shape, values: first.slice() });
      tensors.set(`${name}/second`, { shape, values: second.slice() });
    }
    return { step: this.#step, tensors };
  }

  restore(state: OptimiserState): void {
    const moments = new Map<string, Moments>();
    for (const [key, { shape, values }] of state.tensors) {
      if (!key.endsWith('/first')) continue;
      const name = key.slice(0, -'/first'.length);
      const second = state.tensors.get(`${name}/second`);
      if (second?.values.length !== values.length) {
        throw unusable(`state of '${name}'`, 'lacks a second moment of the same size');
      }
      moments.set(name, { shape, first: values.slice(), second: second.values.slice() });
    }
    this.#moments = moments;
    this.#step = state.step;
  }

  #update(
    name: string,
    { shape, values }: ParameterTensor,
    gradient: Float32Array,
    scale: number,
    factor: number,
  ): void {
    const { first, second } = this.#momentsOf(name, shape, values.length);
    const beta1 = this.#beta1;
    const beta2 = this.#beta2;
    const rates = this.#ratesOf(name);
    const learningRate = rates.learningRate * factor;
    const keep = 1 - learningRate * rates.weightDecay;
    const firstCorrection = 1 - beta1 ** this.#step;
    const secondCorrection = 1 - beta2 ** this.#step;
    for (let index = 0; index < values.length; index++) {
      const slope = (gradient[index] ?? 0) * scale;
      const mean = beta1 * (first[index] ?? 0) + (1 - beta1) * slope;
      const square = beta2 * (second[index] ?? 0) + (1 - beta2) * slope * slope;
      first[index] = mean;
      second[index] = square;
      const direction = mean / firstCorrection / (Math.sqrt(square / secondCorrection) + this.#epsilon);
      values[index] = (values[index] ?? 0) * keep - learningRate * direction;
    }
  }

  #momentsOf(name: string, shape: readonly number[], size: number): Moments {
    const known = this.#moments.get(name);
    if (known !== undefined) {
      if (known.first.length === size) return known;
      throw unusable(`state of '${name}'`, `has ${known.first.length} values for ${size}`);
    }
    const fresh = { shape, first: new Float32Array(size), second: new Float32Array(size) };
    this.#moments.set(name, fresh);
    return fresh;
  }

  #ratesOf(name: string): { learningRate: number; weightDecay: number } {
    const { learningRate, weightDecay = 0.01, groups = [] } = this.#options;
    const group = groups
      .filter(({ prefix }) => name.startsWith(prefix))
      .reduce<ParameterGroup | undefined>(
        (best, next) => (next.prefix.length >= (best?.prefix.length ?? 0) ? next : best),
        undefined,
      );
    return {
      learningRate: group?.learningRate ?? learningRate,
      weightDecay: group?.weightDecay ?? weightDecay,
    };
  }
}

/** Norm of every gradient; throws where one cannot be used. */
function checkedNorms(parameters: ParameterSet, gradients: GradientSet): ReadonlyMap<string, number> {
  const norms = new Map<string, number>();
  for (const [name, gradient] of gradients) {
    const parameter = parameters.get(name);
    if (parameter === undefined) throw unusable(`gradient '${name}'`, 'belongs to no parameter');
    const size = parameter.values.length;
    if (gradient.length !== size) {
      throw unusable(`gradient '${name}'`, `has ${gradient.length} values for ${size}`);
    }
    let square = 0;
    for (let index = 0; index < size; index++) square += (gradient[index] ?? 0) ** 2;
    if (!Number.isFinite(square)) throw unusable(`gradient '${name}'`, 'is not finite');
    norms.set(name, Math.sqrt(square));
  }
  return norms;
}

function check(
  option: string,
  value: number | undefined,
  holds: (value: number) => boolean,
  expected: string,
): void {
  if (value === undefined || (Number.isFinite(value) && holds(value))) return;
  throw new ConfigurationError({
    packageName: '@dynaprompt/core',
    subject: `AdamW ${option}`,
    problem: `${value} cannot be used`,
    remedy: `Give ${expected}`,
  });
}

function unusable(subject: string, problem: string): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject: `AdamW, ${subject}`,
    problem,
    remedy: 'Pass gradients and state of these very parameters; lower the learning rate if training diverged',
  });
}
