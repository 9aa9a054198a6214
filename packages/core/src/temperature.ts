import { ConfigurationError } from './errors.js';

/** How the Gumbel-Softmax temperature falls while training. */
export interface TemperatureOptions {
  /** τ at the first step. */
  readonly start: number;
  /** τ at the last step. */
  readonly end: number;
  /**
   * `linear` and `exponential` go from start to end over the run. `constant` stays at start. `published` is for
   * comparison with the authors' code, whose τ stands at 0.5 after 680 steps of any run: a reconstruction from that number,
   * τ multiplied by exp(−3·10⁻⁶ t) at step t.
   */
  readonly schedule: 'linear' | 'exponential' | 'constant' | 'published';
}

const publishedRate = 3e-6;

/**
 * Gumbel-Softmax temperature at a step of a run.
 *
 * Source: Jang et al. 2017 (arXiv 1611.01144), section 2.2, for annealing as such.
 *
 * @param step 0 ≤ step; past the end of the run τ stays where the run ended.
 * @param steps Length of the run in optimiser steps.
 * @throws ConfigurationError when step or steps cannot be counted.
 */
export function temperatureAt(options: TemperatureOptions, step: number, steps: number): number {
  if (!Number.isInteger(step) || step < 0 || !Number.isInteger(steps) || steps < 1) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: 'temperature schedule',
      problem: `step ${step} of ${steps} does not exist`,
      remedy: 'Count steps from 0 and give the number of steps of the run',
    });
  }
  const { start, end } = options;
  const progress = steps === 1 ? 0 : Math.min(1, step / (steps - 1));
  switch (options.schedule) {
    case 'linear':
      return start + (end - start) * progress;
    case 'exponential':
      return start * (end / start) ** progress;
    case 'constant':
      return start;
    case 'published':
      return Math.max(end, start * Math.exp((-publishedRate * step * (step + 1)) / 2));
  }
}
