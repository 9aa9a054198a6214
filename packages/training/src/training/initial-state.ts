import {
  type FeatureStatistics,
  type OptimiserState,
  type ParameterSet,
  restoreParameters,
} from '@dynaprompt/core';

import type { Learner } from './learner.js';

/** Where a run starts instead of at fresh values; a loaded adapter is one. */
export interface InitialState {
  /** Tensors of the same method on the same backbone; what is absent starts fresh. */
  readonly parameters: { readonly prompt?: ParameterSet; readonly head?: ParameterSet };
  /** Standardisation that the prompt's networks were trained with; absent: that of this run's training examples. */
  readonly featureStatistics?: FeatureStatistics | undefined;
  /** Absent: the optimiser remembers nothing. The schedule starts anew in either case. */
  readonly optimiser?: OptimiserState | undefined;
}

/** The values of a prompt or pool, for a configuration with initialisation `given`. */
export function givenPrompt(prompt: ParameterSet | undefined): Float32Array | undefined {
  return (prompt?.get('representation.pool') ?? prompt?.get('representation.prompt'))?.values;
}

/**
 * Writes the values of a state into the tensors of a learner.
 *
 * @throws DataError naming the tensor that is missing, superfluous or of another shape; the learner is as it was then.
 */
export function startFrom(
  learner: Pick<Learner<unknown>, 'parameters' | 'headParameters'>,
  { parameters }: InitialState,
): void {
  const { headParameters: head } = learner;
  const prompt = new Map([...learner.parameters].filter(([name]) => !head.has(name)));
  restoreParameters(
    learner.parameters,
    new Map([...(parameters.prompt ?? prompt), ...(parameters.head ?? head)]),
  );
}
