import {
  type FeatureStatistics,
  nullThrows,
  type ParameterSet,
  type PromptConfiguration,
} from '@dynaprompt/core';

import { batchesOfRun } from '../data/order.js';
import { TrainingStoppedError } from '../errors.js';
import type { UnsignedEvent } from '../events.js';
import { FeatureCache, type FeatureKind } from '../features/features.js';
import type { Evaluation } from './evaluate.js';
import type { Learner } from './learner.js';
import { type CurvePoint, runLoop } from './loop.js';
import { type ResolvedMethod, resolveMethod } from './method.js';
import {
  requireExamples,
  resolveSettings,
  type TrainingExample,
  type TrainingOptions,
  type TrainingSettings,
} from './options.js';
import { ProbeLearner } from './probe-learner.js';
import { PromptLearner, readsFeatures } from './prompt-learner.js';
import { ZeroShotLearner } from './zero-shot-learner.js';

/** Trained tensors. */
export interface TunedParameters {
  /** Empty without a prompt. */
  readonly prompt: ParameterSet;
  /** Empty for a head without parameters. */
  readonly head: ParameterSet;
}

export interface TrainingResult {
  readonly method: string;
  /** Absent for `frozen`. */
  readonly configuration: PromptConfiguration | undefined;
  readonly settings: TrainingSettings;
  readonly seed: number;
  /** Optimiser steps taken; 0 where there was nothing to train. */
  readonly steps: number;
  /** Validation score after the last step. */
  readonly final: number;
  /** Best validation score of the run. It is picked on the validation examples, so it flatters. */
  readonly best: number;
  readonly bestStep: number;
  readonly parameters: TunedParameters;
  /** As they were at {@link bestStep}. */
  readonly bestParameters: TunedParameters;
  /** Standardisation of the features that the prompt was trained with. */
  readonly featureStatistics: FeatureStatistics | undefined;
  readonly trainableParameters: number;
  /** Mean cross-entropy of every step's batch, nats. */
  readonly loss: readonly CurvePoint[];
  readonly validation: readonly CurvePoint[];
  /** Predictions on the validation examples after the last step. */
  readonly evaluation: Evaluation;
  /** Wall-clock time, features included. */
  readonly seconds: number;
}

/**
 * Trains a method on a frozen backbone: a prompt with the head, or the head alone for `frozen`. Equal options, features and
 * machine give bit-identical parameters. A prompt needs a tfjs backend, chosen once by `selectBackend` of
 * `@dynaprompt/core`.
 *
 * @throws ConfigurationError, DataError for options and examples that cannot be used, before anything is computed.
 * @throws NonFiniteLossError naming the batch, before the update.
 * @throws TrainingStoppedError when the signal ended the run.
 */
export async function trainPrompt<Example>(options: TrainingOptions<Example>): Promise<TrainingResult> {
  const { backbone, train, validation, metric, seed, signal } = options;
  const began = performance.now();
  const method = resolveMethod(options.method);
  const settings = resolveSettings(options);
  requireExamples('training', train, backbone.classes);
  requireExamples('validation', validation, backbone.classes);
  const tell = (event: UnsignedEvent): void => {
    options.events?.({ ...event, method: method.name, seed });
  };
  const scheduled = scheduleBatches(options, settings);
  const learner = await openLearner(options, method, scheduled.flat(), tell);
  const batches = learner.parameters.size === 0 ? [] : scheduled;
  const trainableParameters = countOf(learner.parameters);
  tell({
    type: 'started',
    steps: batches.length,
    trainExamples: train.length,
    validationExamples: validation.length,
    trainableParameters,
  });
  const run = await runLoop({ backbone, learner, settings, batches, validation, metric, tell, signal });
  const seconds = (performance.now() - began) / 1000;
  tell({ type: 'finished', final: run.evaluation.score, best: run.best.score, seconds });
  return {
    method: method.name,
    configuration: method.configuration,
    settings,
    seed,
    steps: batches.length,
    final: run.evaluation.score,
    best: run.best.score,
    bestStep: run.best.step,
    parameters: split(learner, learner.parameters),
    bestParameters: split(learner, run.best.parameters),
    featureStatistics: learner.featureStatistics,
    trainableParameters,
    loss: run.loss,
    validation: run.validation,
    evaluation: run.evaluation,
    seconds,
  };
}

function scheduleBatches<Example>(
  { backbone, train, seed, steps }: TrainingOptions<Example>,
  { batch, accumulation, bucketWindow }: TrainingSettings,
): readonly (readonly TrainingExample<Example>[])[] {
  const at = (index: number): TrainingExample<Example> =>
    nullThrows(train[index], 'batches hold indices of training examples');
  const order = {
    count: train.length,
    batch: batch * accumulation,
    window: bucketWindow,
    lengthOf: (index: number) => backbone.lengthOf(at(index).example),
  };
  return batchesOfRun(order, seed, steps).map((indices) => indices.map(at));
}

/** Computes the features that the method reads, and makes its learner. */
async function openLearner<Example>(
  options: TrainingOptions<Example>,
  { configuration }: ResolvedMethod,
  scheduled: readonly TrainingExample<Example>[],
  tell: (event: UnsignedEvent) => void,
): Promise<Learner<Example>> {
  const { backbone, validation, seed, signal } = options;
  const warn = (message: string): void => {
    tell({ type: 'notice', message });
  };
  const features = options.features ?? new FeatureCache(backbone, { warn });
  const used = [...new Set(scheduled)].map(({ example }) => example);
  const prepare = async (kind: FeatureKind): Promise<void> => {
    const examples = [...used, ...validation.map(({ example }) => example)];
    const progress = ({ done, total }: { done: number; total: number }): void => {
      tell({ type: 'features', done, total });
    };
    try {
      await features.prepare(kind, examples, { progress, signal });
    } catch (error) {
      if (signal?.aborted === true) throw new TrainingStoppedError(0, signal.reason);
      throw error;
    }
  };
  if (configuration !== undefined) {
    if (readsFeatures(configuration)) await prepare('features');
    return PromptLearner.create({ backbone, features, configuration, seed, examples: used });
  }
  if (backbone.initialHead(seed).size === 0) return new ZeroShotLearner(backbone);
  const probe = new ProbeLearner(backbone, features, seed);
  await prepare('pooled');
  return probe;
}

/** Tells the tensors of the prompt from those of the head. */
function split<Example>(learner: Learner<Example>, parameters: ParameterSet): TunedParameters {
  const entries = [...parameters];
  return {
    prompt: new Map(entries.filter(([name]) => !learner.headParameters.has(name))),
    head: new Map(entries.filter(([name]) => learner.headParameters.has(name))),
  };
}

function countOf(parameters: ParameterSet): number {
  return [...parameters.values()].reduce((sum, { values }) => sum + values.length, 0);
}
