import type { Optimiser } from './optimiser.js';
import type { OptimiserOptions } from './options.js';
import { belowOne, checkOptions, optionCheck, positive } from './options.js';
import type { Update, UpdateRule } from './rule-optimiser.js';
import { optimiserOf } from './rule-optimiser.js';

/** Options of {@link createAdamW}. Weight decay, 0.01 by default, is decoupled: a step shrinks values by rate × decay. */
export interface AdamWOptions extends OptimiserOptions {
  /** β₁. Default 0.9. */
  readonly beta1?: number | undefined;
  /** β₂. Default 0.999. */
  readonly beta2?: number | undefined;
  /** Default 1e-8. */
  readonly epsilon?: number | undefined;
}

/**
 * AdamW. Source: Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2, with ε outside the bias-corrected root as in
 * PyTorch. State: `first` and `second` moments, shaped like their parameter.
 *
 * @throws ConfigurationError naming the option that is out of range.
 */
export function createAdamW(options: AdamWOptions): Optimiser {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const check = optionCheck('AdamW');
  checkOptions(check, options);
  check('beta1', beta1, ...belowOne);
  check('beta2', beta2, ...belowOne);
  check('epsilon', epsilon, ...positive);
  return optimiserOf(new AdamW(beta1, beta2, epsilon), options);
}

class AdamW implements UpdateRule {
  readonly name = 'AdamW';
  readonly weightDecay = 0.01;

  constructor(
    private readonly beta1: number,
    private readonly beta2: number,
    private readonly epsilon: number,
  ) {}

  memoryOf(shape: readonly number[]): Record<string, readonly number[]> {
    return { first: shape, second: shape };
  }

  update({ values, gradient, scale, count, memory, learningRate, weightDecay }: Update): void {
    const { beta1, beta2, epsilon } = this;
    const first = memory('first');
    const second = memory('second');
    const keep = 1 - learningRate * weightDecay;
    const firstCorrection = 1 - beta1 ** count;
    const secondCorrection = 1 - beta2 ** count;
    for (let index = 0; index < values.length; index++) {
      const slope = (gradient[index] ?? 0) * scale;
      const mean = beta1 * (first[index] ?? 0) + (1 - beta1) * slope;
      const square = beta2 * (second[index] ?? 0) + (1 - beta2) * slope * slope;
      first[index] = mean;
      second[index] = square;
      const direction = mean / firstCorrection / (Math.sqrt(square / secondCorrection) + epsilon);
      values[index] = (values[index] ?? 0) * keep - learningRate * direction;
    }
  }
}
