import { DataError, type FrozenBackbone } from '@dynaprompt/core';

import type { CheckpointOptions, Resume } from '../checkpoint/options.js';
import type { Augment } from '../data/showing.js';
import type { TrainingListener } from '../events.js';
import type { FeatureCache } from '../features/features.js';
import { packageName } from '../package-name.js';
import type { GradientExchange } from './gradient-exchange.js';
import type { InitialState } from './initial-state.js';
import type { TrainingMethod } from './method.js';
import type { TrainingSettingsInput } from './settings.js';

/** An example with its answer. */
export interface TrainingExample<Example> {
  /** Says which example is meant in messages. */
  readonly id: string;
  readonly example: Example;
  /** Index of its class, 0 ≤ label < classes, or of the right one of its candidates; not read where the answer is a number. */
  readonly label: number;
  /** Other right candidates; an evaluation takes each of them for the right one. */
  readonly alsoRight?: readonly number[] | undefined;
  /** What answers earn by class or candidate, 0 … 1, where they are not just right or wrong; those that are missing earn nothing. */
  readonly credits?: ReadonlyMap<number, number> | undefined;
  /** The answer where it is a number, in the units of the data. */
  readonly target?: number | undefined;
}

/**
 * Score of predicted classes, candidates or numbers against the true ones, in the order of the examples; larger is better.
 *
 * @param credits what each prediction earns, 0 … 1: 1 for the right one and 0 for others, unless its example says more.
 */
export type ScoreFunction = (
  predicted: ArrayLike<number>,
  expected: ArrayLike<number>,
  credits: ArrayLike<number>,
) => number;

/** What one task is trained and validated on. */
export interface TaskData<Example> {
  readonly backbone: FrozenBackbone<Example>;
  readonly train: readonly TrainingExample<Example>[];
  readonly validation: readonly TrainingExample<Example>[];
  readonly metric: ScoreFunction;
  /** What steps show of the training examples; default: the examples themselves. */
  readonly augment?: Augment<Example> | undefined;
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
  /** Stops the run after the step at hand, with a checkpoint where it has a folder for them, and a `TrainingStoppedError`. */
  readonly signal?: AbortSignal;
  /** Where the run leaves its state from time to time; absent: nowhere. */
  readonly checkpoint?: CheckpointOptions | undefined;
  /** Whether it goes on from the newest checkpoint of that folder; default false. */
  readonly resume?: Resume | undefined;
  /** Present where other processes train the same run with the same options; changes which of them computes what. */
  readonly exchange?: GradientExchange | undefined;
}

/** Options of {@link trainPrompt}. */
export interface TrainingOptions<Example> extends RunOptions, TaskData<Example> {
  /** Where to go on from, such as a loaded adapter; values are copied. */
  readonly initial?: InitialState | undefined;
}

/** What of a backbone the answers of examples have to fit. */
export type AnsweredBackbone<Example> = Pick<FrozenBackbone<Example>, 'classes' | 'range' | 'candidatesOf'>;

/** @throws DataError naming the split that is empty or the example whose answer is none that the backbone can give. */
export function requireExamples<Example>(
  split: string,
  examples: readonly TrainingExample<Example>[],
  backbone: AnsweredBackbone<Example>,
): void {
  if (examples.length === 0) {
    throw new DataError({
      packageName,
      subject: `${split} examples`,
      problem: 'there are none',
      remedy: 'Give at least one example to train on and one to validate on',
    });
  }
  for (const example of examples) {
    const problem = problemOf(example, backbone);
    if (problem !== undefined)
      throw new DataError({ packageName, subject: `${split} example ${example.id}`, ...problem });
  }
}

function problemOf<Example>(
  { label, target, example }: TrainingExample<Example>,
  { classes, range, candidatesOf }: AnsweredBackbone<Example>,
): { readonly problem: string; readonly remedy: string } | undefined {
  if (range !== undefined) {
    if (target !== undefined && Number.isFinite(target)) return undefined;
    return {
      problem: `its target ${target ?? '(missing)'} is no number to predict`,
      remedy:
        "Give every example the number that is its answer, or open the backbone with the task's classes",
    };
  }
  const count = candidatesOf?.(example).length ?? classes;
  if (Number.isInteger(label) && label >= 0 && label < count) return undefined;
  return candidatesOf === undefined
    ? {
        problem: `its label ${label} is not one of the backbone's ${classes} classes`,
        remedy: `Number classes from 0 to ${classes - 1}, or open the backbone with the task's classes`,
      }
    : {
        problem: `its label ${label} is not one of its ${count} candidates`,
        remedy: `Number candidates from 0 to ${count - 1}`,
      };
}
