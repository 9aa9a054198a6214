import { stream } from '@dynaprompt/core';

import type { TrainingExample } from '../training/options.js';
import type { ToyExample } from './toy-backbone.test.fixture.js';

/** Share of right predictions. */
export function accuracy(predicted: ArrayLike<number>, expected: ArrayLike<number>): number {
  return Array.from(predicted).filter((value, index) => value === expected[index]).length / expected.length;
}

/** Sequences of 3 … 7 tokens; the class says from which half of the vocabulary most tokens are. */
export function toyTask(
  count: number,
  seed: number,
  vocabulary = 12,
): readonly TrainingExample<ToyExample>[] {
  const random = stream(seed, 'toy task');
  const half = vocabulary / 2;
  return Array.from({ length: count }, (_, index) => {
    const label = index % 2;
    const example = Array.from({ length: 3 + random.integer(5) }, () => {
      const own = random.uniform() < 0.9;
      return random.integer(half) + (own === (label === 1) ? half : 0);
    });
    return { id: `toy:${index}`, example, label };
  });
}
