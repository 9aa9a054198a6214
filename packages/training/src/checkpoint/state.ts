import type { FeatureStatistics, OptimiserState, ParameterSet, RandomStreamState } from '@dynaprompt/core';

import type { RunHistory } from '../training/history.js';

/** Everything that a run needs to go on as if it had not stopped. */
export interface RunState {
  /** Steps behind it; the order of the data goes on with the batch of the next. */
  readonly step: number;
  /** Of all learners: prompt, networks, heads or fine-tuned weights. */
  readonly parameters: ParameterSet;
  readonly optimiser: OptimiserState;
  /** Standardisation of the features that the prompt's networks read. */
  readonly featureStatistics: FeatureStatistics | undefined;
  /** Where every random stream stands that draws while the run goes on; the others follow from the seed. */
  readonly streams: readonly RandomStreamState[];
  readonly history: RunHistory;
}
