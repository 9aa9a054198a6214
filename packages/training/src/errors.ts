import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from './package-name.js';

/** A loss or a gradient that is not a finite number. The parameters are still those of the step before. */
export class NonFiniteLossError extends DynaPromptError {
  /** Step that could not be taken, 1 … steps. */
  readonly step: number;
  /** Examples of the batch. */
  readonly exampleIds: readonly string[];

  constructor(
    quantity: string,
    step: number,
    exampleIds: readonly string[],
    /** Absolute path of the checkpoint with the state before the step; absent where the run leaves none. */
    readonly checkpoint?: string,
  ) {
    super({
      packageName,
      subject: `step ${step}, examples ${exampleIds.join(', ')}`,
      problem: `${quantity} is not finite; the step was not taken`,
      remedy:
        'Lower the learning rates, look at these examples, or leave such steps out with nanPolicy "skip"',
    });
    this.step = step;
    this.exampleIds = exampleIds;
  }
}

/** Predictions that are no numbers: a score of them would say nothing. */
export class NonFinitePredictionError extends DynaPromptError {
  constructor(
    /** Steps behind the run. */
    readonly step: number,
    /** Validation examples without a prediction. */
    readonly exampleIds: readonly string[],
    /** How many were predicted. */
    examples: number,
  ) {
    super({
      packageName,
      subject: `after step ${step}`,
      problem: `the predictions for ${exampleIds.length} of ${examples} validation examples are not finite, the first for ${exampleIds[0] ?? 'none'}`,
      remedy: 'Training has diverged: lower the learning rates, and start again',
    });
  }
}

/** A run that its `AbortSignal` ended. */
export class TrainingStoppedError extends DynaPromptError {
  /** Steps that were taken. */
  readonly step: number;

  constructor(
    step: number,
    cause: unknown,
    /** Absolute path of the checkpoint that the run goes on from; absent where it leaves none. */
    readonly checkpoint?: string,
  ) {
    super({
      packageName,
      subject: 'training',
      problem: `stopped as asked, after ${step} steps`,
      remedy:
        checkpoint === undefined
          ? 'Start the run again to finish it'
          : `Start the run again with resume to finish it from ${checkpoint}`,
      cause,
    });
    this.step = step;
  }
}
