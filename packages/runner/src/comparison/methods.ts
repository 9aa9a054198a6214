import { methodNamed, type TrainingMethod } from '@dynaprompt/training';

import type { ComparisonOptions } from '../options/comparison.js';

/** A method as a comparison trains it. @throws ConfigurationError where there is none of that name, or options do not fit it. */
export function methodOf(
  name: string,
  { prompt, slots, basePrompt }: Pick<ComparisonOptions, 'prompt' | 'slots' | 'basePrompt'>,
): TrainingMethod {
  return methodNamed(name, { ...prompt, slots }, basePrompt);
}
