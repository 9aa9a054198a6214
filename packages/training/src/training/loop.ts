import { setImmediate } from 'node:timers/promises';

import {
  createAdamW,
  createSchedule,
  type FrozenBackbone,
  type LabelledBatch,
  nullThrows,
  type ParameterSet,
} from '@dynaprompt/core';

import { NonFiniteLossError, TrainingStoppedError } from '../errors.js';
import type { UnsignedEvent } from '../events.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type { Learner, LearnerStep } from './learner.js';
import type { ScoreFunction, TrainingExample, TrainingSettings } from './options.js';
import { Speedometer } from './speedometer.js';

export interface LoopOptions<Example> {
  readonly backbone: Pick<FrozenBackbone<Example>, 'classes' | 'lengthOf'>;
  readonly learner: Learner<Example>;
  readonly settings: TrainingSettings;
  /** The examples of every step. */
  readonly batches: readonly (readonly TrainingExample<Example>[])[];
  readonly validation: readonly TrainingExample<Example>[];
  readonly metric: ScoreFunction;
  readonly tell: (event: UnsignedEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A value at a step. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/** How a run went. */
export interface LoopResult {
  /** Mean cross-entropy of every step's batch. */
  readonly loss: readonly CurvePoint[];
  /** Validation scores. */
  readonly validation: readonly CurvePoint[];
  /** After the last step. */
  readonly evaluation: Evaluation;
  readonly best: { readonly score: number; readonly step: number; readonly parameters: ParameterSet };
}

/** Takes the optimiser through the batches, with evaluations in between and one at the end. */
export async function runLoop<Example>(options: LoopOptions<Example>): Promise<LoopResult> {
  const { learner, settings, batches, tell, signal } = options;
  const steps = batches.length;
  const { kind, final, warmUp } = settings.schedule;
  const schedule = createSchedule({
    kind,
    final,
    warmUp: Math.floor(warmUp * steps),
    steps: Math.max(1, steps),
  });
  const optimiser = createOptimiser(learner, settings, schedule);
  const speedometer = new Speedometer();
  const loss: CurvePoint[] = [];
  const validation: CurvePoint[] = [];
  let best: LoopResult['best'] | undefined;

  for (const [index, examples] of batches.entries()) {
    const step = index + 1;
    // Lets signals and timers through: the backbone blocks the event loop.
    await setImmediate();
    if (signal?.aborted === true) throw new TrainingStoppedError(index, signal.reason);
    const context = { microBatch: settings.batch, step: index, steps };
    const learned = await learner.step(labelledBatch(examples), context);
    requireFinite(learned, step, examples);
    const { gradientNorm } = optimiser.step(learner.parameters, learned.gradients);
    loss.push({ step, value: learned.loss });
    tell({
      type: 'step',
      step,
      steps,
      loss: learned.loss,
      gradientNorm,
      temperature: learned.temperature,
      learningRateFactor: schedule(index),
      examplesPerSecond: speedometer.count(examples.length),
    });
    if (step < steps && step % settings.evaluateEvery === 0) {
      await score(step);
      speedometer.restart();
    }
  }
  const evaluation = await score(steps);
  return { loss, validation, evaluation, best: nullThrows(best, 'every run ends with an evaluation') };

  async function score(step: number): Promise<Evaluation> {
    const evaluation = await evaluated(options, step);
    validation.push({ step, value: evaluation.score });
    if (best === undefined || evaluation.score > best.score) {
      best = { score: evaluation.score, step, parameters: copyOf(learner.parameters) };
    }
    tell({ type: 'evaluated', step, score: evaluation.score, best: best.score });
    return evaluation;
  }
}

async function evaluated<Example>(options: LoopOptions<Example>, step: number): Promise<Evaluation> {
  const { backbone, learner, settings, validation, metric, signal } = options;
  try {
    return await evaluate({
      backbone,
      learner,
      examples: validation,
      metric,
      batch: settings.evaluationBatch,
      signal,
    });
  } catch (error) {
    if (signal?.aborted === true) throw new TrainingStoppedError(step, signal.reason);
    throw error;
  }
}

function createOptimiser<Example>(
  learner: Learner<Example>,
  { learningRates, weightDecay, clipNorm }: TrainingSettings,
  schedule: (step: number) => number,
): ReturnType<typeof createAdamW> {
  return createAdamW({
    learningRate: learningRates.head,
    weightDecay,
    clipNorm,
    clipScope: 'tensor',
    schedule,
    groups: [...learner.parameters.keys()].map((name) => ({
      prefix: name,
      learningRate: learningRates[learner.rateOf(name)],
    })),
  });
}

function labelledBatch<Example>(examples: readonly TrainingExample<Example>[]): LabelledBatch<Example> {
  return {
    examples: examples.map(({ example }) => example),
    labels: Int32Array.from(examples, ({ label }) => label),
  };
}

function requireFinite<Example>(
  { loss, gradients }: LearnerStep,
  step: number,
  examples: readonly TrainingExample<Example>[],
): void {
  const ids = examples.map(({ id }) => id);
  if (!Number.isFinite(loss)) throw new NonFiniteLossError('the loss', step, ids);
  for (const [name, gradient] of gradients) {
    if (!gradient.every(Number.isFinite)) throw new NonFiniteLossError(`the gradient of ${name}`, step, ids);
  }
}

function copyOf(parameters: ParameterSet): ParameterSet {
  return new Map(
    [...parameters].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]),
  );
}
