import { ConfigurationError, stream } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/**
 * How often a task has its turn: in proportion to its n training examples, all alike, or in proportion to n^(1/T), which lies
 * between the two for T > 1. Source of the last: Raffel et al. 2020 (arXiv 1910.10683), section 3.5.2.
 */
export type TaskSampling =
  | { readonly kind: 'proportional' }
  | { readonly kind: 'equal' }
  | { readonly kind: 'temperature'; readonly temperature: number };

/** Probability of each task. @throws ConfigurationError for a temperature that is not positive. */
export function taskProbabilities(sizes: readonly number[], sampling: TaskSampling): readonly number[] {
  const exponent = exponentOf(sampling);
  // Relative to the largest, so that no power overflows.
  const largest = Math.max(...sizes);
  const weights = sizes.map((size) => (size / largest) ** exponent);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/**
 * Draws the task of every step; a longer run begins as a shorter one does.
 *
 * @param sizes training examples of each task
 */
export function drawTasks(
  sizes: readonly number[],
  sampling: TaskSampling,
  seed: number,
  steps: number,
): readonly number[] {
  const probabilities = taskProbabilities(sizes, sampling);
  const random = stream(seed, 'tasks');
  return Array.from({ length: steps }, () => {
    let rest = random.uniform();
    const chosen = probabilities.findIndex((probability) => (rest -= probability) < 0);
    return chosen < 0 ? probabilities.length - 1 : chosen;
  });
}

function exponentOf(sampling: TaskSampling): number {
  switch (sampling.kind) {
    case 'proportional':
      return 1;
    case 'equal':
      return 0;
    case 'temperature': {
      const { temperature } = sampling;
      if (Number.isFinite(temperature) && temperature > 0) return 1 / temperature;
      throw new ConfigurationError({
        packageName,
        subject: 'sampling.temperature',
        problem: `${temperature} cannot be used`,
        remedy: 'Give a number above 0; 1 is proportional, larger ones are more even',
      });
    }
  }
}
