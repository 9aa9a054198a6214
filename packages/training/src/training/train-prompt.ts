import { nullThrows, type ParameterSet } from '@dynaprompt/core';

import type { Evaluation } from './evaluate.js';
import type { Learner } from './learner.js';
import type { TrainingOptions } from './options.js';
import { type RunResult, runTasks } from './run.js';

/** Trained tensors. */
export interface TunedParameters {
  /** Prompt and networks; empty without a prompt. */
  readonly prompt: ParameterSet;
  /** Empty for a head without parameters. */
  readonly head: ParameterSet;
  /** The backbone's own; empty but for `fine-tuning`. */
  readonly weights: ParameterSet;
}

/** What {@link trainPrompt} leaves behind. */
export interface TrainingResult extends RunResult {
  readonly parameters: TunedParameters;
  /** As they were at `bestStep`. */
  readonly bestParameters: TunedParameters;
  /** Predictions on the validation examples after the last step. */
  readonly evaluation: Evaluation;
}

/**
 * Trains a method on a frozen backbone: a prompt with the head, the head alone, or, to compare with, a copy of all weights.
 * Equal options, features and machine give bit-identical parameters. A prompt needs a tfjs backend, chosen once by
 * `selectBackend` of `@dynaprompt/core`.
 *
 * @throws ConfigurationError, DataError for options and examples that cannot be used, before anything is computed.
 * @throws NonFiniteLossError naming the batch, before the update; NonFinitePredictionError instead of a score that says nothing.
 * @throws TrainingStoppedError when the signal ended the run.
 * @throws CheckpointMismatchError, FolderInUseError, CheckpointWriteError where a run with checkpoints cannot begin, go on or leave its state.
 */
export async function trainPrompt<Example>(options: TrainingOptions<Example>): Promise<TrainingResult> {
  const task = { ...options, name: options.backbone.description.name };
  const turns = (steps: number): readonly number[] => new Array<number>(steps).fill(0);
  const { result, learners, parameters, loop } = await runTasks(options, [task], turns);
  const learner = nullThrows(learners[0], 'a task has a learner');
  return {
    ...result,
    parameters: split(learner, parameters),
    bestParameters: split(learner, loop.best.parameters),
    evaluation: nullThrows(loop.tasks[0], 'a task has a run').evaluation,
  };
}

/** Tells tensors apart by what they are for. */
function split<Example>(learner: Learner<Example>, parameters: ParameterSet): TunedParameters {
  const of = (...kinds: readonly string[]): ParameterSet =>
    new Map([...parameters].filter(([name]) => kinds.includes(learner.rateOf(name))));
  return { prompt: of('prompt', 'networks'), head: of('head'), weights: of('weights') };
}
