import type { FrozenBackbone, OptimiserState } from '@dynaprompt/core';

import type { RunState } from '../checkpoint/state.js';
import type { ShownTask } from '../data/showing.js';
import type { UnsignedEvent } from '../events.js';
import type { Learner } from './learner.js';
import type { ScoreFunction, TrainingExample } from './options.js';
import type { TrainingSettings } from './settings.js';

/** One of the tasks that are trained together. Learners may share parameters: equal names are equal tensors. */
export interface LoopTask<Example> extends ShownTask<Example> {
  /** Stands in events where there are several tasks. */
  readonly name: string;
  readonly backbone: Pick<FrozenBackbone<Example>, 'classes' | 'range' | 'lengthOf' | 'prepare'>;
  readonly learner: Learner<Example>;
  readonly validation: readonly TrainingExample<Example>[];
  readonly metric: ScoreFunction;
}

/** The examples of a step, all of one task. */
export interface LoopBatch<Example> {
  readonly task: LoopTask<Example>;
  readonly examples: readonly TrainingExample<Example>[];
}

/** Where a loop leaves its state, and goes on from one. */
export interface LoopCheckpoints {
  readonly resumed: RunState | undefined;
  isDue(step: number): boolean;
  /** Resolves with the path of what was written. */
  save(state: RunState): Promise<string>;
}

export interface LoopOptions<Example> {
  /** At least one. */
  readonly tasks: readonly LoopTask<Example>[];
  /** One for every step. */
  readonly batches: readonly LoopBatch<Example>[];
  readonly settings: TrainingSettings;
  /** What the optimiser remembers at the start. */
  readonly optimiser?: OptimiserState | undefined;
  readonly checkpoints?: LoopCheckpoints | undefined;
  readonly tell: (event: UnsignedEvent) => void;
  readonly signal?: AbortSignal | undefined;
}
