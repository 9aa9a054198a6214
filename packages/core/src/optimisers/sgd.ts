import { ConfigurationError } from '../errors.js';
import type { Optimiser } from './optimiser.js';
import type { OptimiserOptions } from './options.js';
import { belowOne, checkOptions, nonNegative, optionCheck } from './options.js';
import type { Update, UpdateRule } from './rule-optimiser.js';
import { optimiserOf } from './rule-optimiser.js';

/** Options of {@link createSgd}. Weight decay, 0 by default, is an L2 penalty: it joins the clipped gradient. */
export interface SgdOptions extends OptimiserOptions {
  /** μ. Default 0.9. */
  readonly momentum?: number | undefined;
  /** Share of a gradient that does not enter the buffer, from the second step on. Default 0. */
  readonly dampening?: number | undefined;
  /** Look ahead by μ × buffer. Default false. */
  readonly nesterov?: boolean | undefined;
}

/**
 * Stochastic gradient descent with momentum, as PyTorch has it: the learning rate multiplies the buffer when it is applied, not
 * when it is filled. Source: Sutskever et al. 2013, section 2, in that form. State: the buffer, `momentum`; none for μ = 0.
 *
 * @throws ConfigurationError naming the option that is out of range.
 */
export function createSgd(options: SgdOptions): Optimiser {
  const { momentum = 0.9, dampening = 0, nesterov = false } = options;
  const check = optionCheck('SGD');
  checkOptions(check, options);
  check('momentum', momentum, ...belowOne);
  check('dampening', dampening, ...nonNegative);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: 'SGD nesterov',
      problem: `it has no meaning with momentum ${momentum} and dampening ${dampening}`,
      remedy: 'Give a momentum and no dampening',
    });
  }
  return optimiserOf(new Sgd(momentum, dampening, nesterov), options);
}

class Sgd implements UpdateRule {
  readonly name = 'SGD';
  readonly weightDecay = 0;

  constructor(
    private readonly momentum: number,
    private readonly dampening: number,
    private readonly nesterov: boolean,
  ) {}

  memoryOf(shape: readonly number[]): Record<string, readonly number[]> {
    return this.momentum === 0 ? {} : { momentum: shape };
  }

  update({ values, gradient, scale, count, memory, learningRate, weightDecay }: Update): void {
    const { momentum, dampening, nesterov } = this;
    const buffer = momentum === 0 ? undefined : memory('momentum');
    const share = count === 1 ? 1 : 1 - dampening;
    for (let index = 0; index < values.length; index++) {
      const value = values[index] ?? 0;
      const slope = (gradient[index] ?? 0) * scale + weightDecay * value;
      let direction = slope;
      if (buffer !== undefined) {
        const velocity = momentum * (buffer[index] ?? 0) + share * slope;
        buffer[index] = velocity;
        direction = nesterov ? slope + momentum * velocity : velocity;
      }
      values[index] = value - learningRate * direction;
    }
  }
}
