import { DataError, type FrozenBackbone } from '@dynaprompt/core';

import type { TrainingListener } from '../events.js';
import type { FeatureCache } from '../features/features.js';
import { packageName } from '../package-name.js';
import type { InitialState } from './initial-state.js';
import type { TrainingMethod } from './method.js';
import type { TrainingSettingsInput } from './settings.js';

/** An example with its answer. */
export interface TrainingExample<Example> {
  /** Says which example is meant in messages. */
  readonly id: string;
  readonly example: Example;
  /** 0 ≤ label < classes */
  readonly label: number;
}

/** Score of predicted classes against the true ones; larger is better. */
export type ScoreFunction = (predicted: Int32Array, expected: Int32Array) => number;

/** What one task is trained and validated on. */
export interface TaskData<Example> {
  readonly backbone: FrozenBackbone<Example>;
  readonly train: readonly TrainingExample<Example>[];
  readonly validation: readonly TrainingExample<Example>[];
  readonly metric: ScoreFunction;
  /** Shared by runs on the same backbone; a run without one makes its own, on the default cache folder. */
  readonly features?: FeatureCache<Example>;
}

/** What a run does, whatever it is trained on. */
export interface RunOptions extends TrainingSettingsInput {
  readonly method: TrainingMethod;
  readonly seed: number;
  /** Optimiser steps. */
  readonly steps: number;
  readonly events?: TrainingListener;
  /** Stops the run after the step at hand, with a `TrainingStoppedError`. */
  readonly signal?: AbortSignal;
}

/** Options of {@link trainPrompt}. */
export interface TrainingOptions<Example> extends RunOptions, TaskData<Example> {
  /** Where to go on from, such as a loaded adapter; values are copied. */
  readonly initial?: InitialState | undefined;
}

/** @throws DataError naming the split that is empty or the example whose label is not a class. */
export function requireExamples<Example>(
  split: string,
  examples: readonly TrainingExample<Example>[],
  classes: number,
): void {
  if (examples.length === 0) {
    throw new DataError({
      packageName,
      subject: `${split} examples`,
      problem: 'there are none',
      remedy: 'Give at least one example to train on and one to validate on',
    });
  }
  for (const { id, label } of examples) {
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new DataError({
      packageName,
      subject: `${split} example ${id}`,
      problem: `its label ${label} is not one of the backbone's ${classes} classes`,
      remedy: `Number classes from 0 to ${classes - 1}, or open the backbone with the task's classes`,
    });
  }
}
