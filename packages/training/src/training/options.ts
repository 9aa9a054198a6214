import { ConfigurationError, DataError, type FrozenBackbone, type ScheduleOptions } from '@dynaprompt/core';

import type { TrainingListener } from '../events.js';
import type { FeatureCache } from '../features/features.js';
import { packageName } from '../package-name.js';
import type { TrainingMethod } from './method.js';

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

/** Learning rates by what a parameter is for. */
export interface LearningRates {
  /** Prompt tokens, those of a pool too. */
  readonly prompt: number;
  /** Networks that choose position, length and mixture. */
  readonly networks: number;
  readonly head: number;
}

/** Options of {@link trainPrompt} that have a default. */
export interface TrainingSettings {
  /** Examples of one forward and backward pass. */
  readonly batch: number;
  /** Passes whose gradients make one optimiser step; a step sees batch × accumulation examples. */
  readonly accumulation: number;
  readonly learningRates: LearningRates;
  readonly weightDecay: number;
  /** Largest norm of each tensor's gradient. */
  readonly clipNorm: number;
  /** Course of the learning rates; its length is that of the run. */
  readonly schedule: Pick<ScheduleOptions, 'kind' | 'final'> & {
    /** Share of the steps that climb to the full rates, 0 … 1. */
    readonly warmUp: number;
  };
  /** Steps between evaluations; the last step is always evaluated. */
  readonly evaluateEvery: number;
  /** Examples of one forward pass of an evaluation. */
  readonly evaluationBatch: number;
  /** Steps whose examples are sorted by length together before they are cut into batches; 1 turns that off. */
  readonly bucketWindow: number;
}

export interface TrainingOptions<Example> extends Partial<TrainingSettings> {
  readonly backbone: FrozenBackbone<Example>;
  readonly train: readonly TrainingExample<Example>[];
  readonly validation: readonly TrainingExample<Example>[];
  readonly method: TrainingMethod;
  readonly metric: ScoreFunction;
  readonly seed: number;
  /** Optimiser steps. */
  readonly steps: number;
  /** Shared by runs on the same backbone; a run without one makes its own, on the default cache folder. */
  readonly features?: FeatureCache<Example>;
  readonly events?: TrainingListener;
  /** Stops the run after the step at hand, with a `TrainingStoppedError`. */
  readonly signal?: AbortSignal;
}

/** For AdamW on prompts that start from rows of the embedding table. */
export const defaultLearningRates: LearningRates = { prompt: 0.005, networks: 0.005, head: 0.01 };

/** The settings of a run, given ones before defaults. @throws ConfigurationError naming the setting that cannot be used. */
export function resolveSettings(
  options: Partial<TrainingSettings> & { readonly steps: number },
): TrainingSettings {
  const { steps } = options;
  requireCount('steps', steps);
  const settings: TrainingSettings = {
    batch: options.batch ?? 8,
    accumulation: options.accumulation ?? 1,
    learningRates: options.learningRates ?? defaultLearningRates,
    weightDecay: options.weightDecay ?? 0.01,
    clipNorm: options.clipNorm ?? 1,
    schedule: options.schedule ?? { kind: 'linear', warmUp: 0.05 },
    evaluateEvery: options.evaluateEvery ?? Math.max(1, Math.ceil(steps / 5)),
    evaluationBatch: options.evaluationBatch ?? 32,
    bucketWindow: options.bucketWindow ?? 16,
  };
  for (const name of ['batch', 'accumulation', 'evaluateEvery', 'evaluationBatch', 'bucketWindow'] as const) {
    requireCount(name, settings[name]);
  }
  const { warmUp } = settings.schedule;
  if (!(warmUp >= 0 && warmUp < 1))
    throw unusable('schedule.warmUp', warmUp, 'Give a share of the steps, 0 ≤ share < 1');
  return settings;
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

function requireCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw unusable(name, value, 'Give a whole number of 1 or more');
}

function unusable(name: string, value: number, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject: name, problem: `${value} cannot be used`, remedy });
}
