import { setImmediate } from 'node:timers/promises';

import {
  type FrozenBackbone,
  nullThrows,
  type Optimiser,
  type OptimiserState,
  type ParameterSet,
  type Schedule,
  timed,
} from '@dynaprompt/core';

import { labelledBatch } from '../data/batches.js';
import { showExamples, type ShownTask } from '../data/showing.js';
import { NonFiniteLossError, TrainingStoppedError } from '../errors.js';
import type { UnsignedEvent } from '../events.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type { Learner, LearnerStep } from './learner.js';
import { createOptimiser } from './optimiser.js';
import type { ScoreFunction, TrainingExample } from './options.js';
import { optimiserOptionsOf, scheduleOf, type TrainingSettings } from './settings.js';
import { Speedometer } from './speedometer.js';

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

export interface LoopOptions<Example> {
  /** At least one. */
  readonly tasks: readonly LoopTask<Example>[];
  /** One for every step. */
  readonly batches: readonly LoopBatch<Example>[];
  readonly settings: TrainingSettings;
  /** What the optimiser remembers at the start. */
  readonly optimiser?: OptimiserState | undefined;
  readonly tell: (event: UnsignedEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A value at a step. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/** How a task of a run went. */
export interface TaskRun {
  /** Loss of the batch of every step that was the task's. */
  readonly loss: readonly CurvePoint[];
  /** Validation scores. */
  readonly validation: readonly CurvePoint[];
  /** After the last step. */
  readonly evaluation: Evaluation;
}

/** How a run went. */
export interface LoopResult {
  /** Loss of every step's batch. */
  readonly loss: readonly CurvePoint[];
  /** Validation scores, means over the tasks. */
  readonly validation: readonly CurvePoint[];
  /** In the order of the tasks. */
  readonly tasks: readonly TaskRun[];
  readonly best: { readonly score: number; readonly step: number; readonly parameters: ParameterSet };
  /** What the optimiser remembers after the last step. */
  readonly optimiser: OptimiserState;
}

/** Takes the optimiser through the batches, with evaluations in between and one at the end. */
export async function runLoop<Example>(options: LoopOptions<Example>): Promise<LoopResult> {
  const { tasks, settings, batches, tell, signal } = options;
  const steps = batches.length;
  const parameters = parametersOf(tasks);
  const schedule = steps === 0 ? () => 1 : scheduleOf(settings, steps);
  const taken = options.optimiser?.step ?? 0;
  const optimiser = openOptimiser(tasks, settings, (step) => schedule(step - taken));
  if (options.optimiser !== undefined) optimiser.restore(options.optimiser);
  const speedometer = new Speedometer();
  const losses: number[] = [];
  const evaluations: { readonly step: number; readonly scores: readonly number[] }[] = [];
  // Predictions of the last one alone: those of a long run would fill the memory.
  let last: readonly Evaluation[] = [];
  let best: LoopResult['best'] | undefined;

  const show = showExamples<Example>();
  const shownAt = (index: number): readonly TrainingExample<Example>[] => {
    const batch = batches[index];
    return batch === undefined ? [] : show(batch.task, batch.examples);
  };
  let upcoming = shownAt(0);
  for (const [index, { task }] of batches.entries()) {
    const step = index + 1;
    const examples = upcoming;
    upcoming = shownAt(step);
    // Lets signals and timers through: the backbone blocks the event loop.
    await setImmediate();
    if (signal?.aborted === true) throw new TrainingStoppedError(index, signal.reason);
    await timed('data', () => batches[step]?.task.backbone.prepare?.(upcoming.map(({ example }) => example)));
    const context = { microBatch: settings.batch, step: index, steps };
    const batch = timed('data', () => labelledBatch(examples));
    const learned = await task.learner.step(batch, context);
    requireFinite(learned, step, examples);
    const { gradientNorm } = timed('optimiser', () => optimiser.step(parameters, learned.gradients));
    losses.push(learned.loss);
    tell({
      type: 'step',
      ...(tasks.length > 1 ? { task: task.name } : {}),
      step,
      steps,
      loss: learned.loss,
      penalty: learned.penalty,
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
  await score(steps);
  const loss = losses.map((value, index): CurvePoint => ({ step: index + 1, value }));
  return {
    loss,
    validation: evaluations.map((at) => ({ step: at.step, value: meanOf(at.scores) })),
    tasks: tasks.map((task, index) => ({
      loss: loss.filter((_, at) => batches[at]?.task === task),
      validation: evaluations.map((at) => ({ step: at.step, value: at.scores[index] ?? 0 })),
      evaluation: nullThrows(last[index], 'every task is evaluated'),
    })),
    best: nullThrows(best, 'every run ends with an evaluation'),
    optimiser: optimiser.state(),
  };

  async function score(step: number): Promise<void> {
    const ofTasks: Evaluation[] = [];
    for (const task of tasks) ofTasks.push(await evaluated(task, options, step));
    last = ofTasks;
    const scores = ofTasks.map((evaluation) => evaluation.score);
    evaluations.push({ step, scores });
    const mean = meanOf(scores);
    if (best === undefined || mean > best.score) best = { score: mean, step, parameters: copyOf(parameters) };
    const each = Object.fromEntries(tasks.map(({ name }, index) => [name, scores[index] ?? 0]));
    tell({
      type: 'evaluated',
      step,
      score: mean,
      best: best.score,
      ...(tasks.length > 1 ? { tasks: each } : {}),
    });
  }
}

async function evaluated<Example>(
  { backbone, learner, validation, metric }: LoopTask<Example>,
  { settings, signal }: LoopOptions<Example>,
  step: number,
): Promise<Evaluation> {
  const batch = settings.evaluationBatch;
  try {
    return await evaluate({ backbone, learner, examples: validation, metric, batch, signal });
  } catch (error) {
    if (signal?.aborted === true) throw new TrainingStoppedError(step, signal.reason);
    throw error;
  }
}

/** Unweighted: every task counts alike, however many examples it has. */
function meanOf(scores: readonly number[]): number {
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** The tensors of all learners, those that they share once. */
function parametersOf<Example>(tasks: readonly LoopTask<Example>[]): ParameterSet {
  return new Map(tasks.flatMap(({ learner }) => [...learner.parameters]));
}

function openOptimiser<Example>(
  tasks: readonly LoopTask<Example>[],
  settings: TrainingSettings,
  schedule: Schedule,
): Optimiser {
  const { learningRates, optimiser } = settings;
  const rates = new Map(
    tasks.flatMap(({ learner }) =>
      [...learner.parameters.keys()].map((name) => [name, learningRates[learner.rateOf(name)]] as const),
    ),
  );
  return createOptimiser(optimiser, {
    ...optimiserOptionsOf(settings),
    schedule,
    groups: [...rates].map(([prefix, learningRate]) => ({ prefix, learningRate })),
  });
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
