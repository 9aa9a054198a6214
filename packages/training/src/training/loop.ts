import { setImmediate } from 'node:timers/promises';

import {
  nullThrows,
  type Optimiser,
  type OptimiserState,
  type ParameterSet,
  restoreParameters,
  timed,
} from '@dynaprompt/core';

import type { RunState } from '../checkpoint/state.js';
import { labelledBatch } from '../data/batches.js';
import { showExamples } from '../data/showing.js';
import { NonFiniteLossError, NonFinitePredictionError, TrainingStoppedError } from '../errors.js';
import { type Evaluation, evaluate } from './evaluate.js';
import {
  type BestSoFar,
  type CurvePoint,
  emptyHistory,
  isExhausted,
  meanScore,
  type RunHistory,
  skippedInARow,
  type SkippedStep,
  type UsageAtStep,
} from './history.js';
import type { LearnerStep } from './learner.js';
import type { LoopOptions, LoopTask } from './loop-options.js';
import { createOptimiser } from './optimiser.js';
import type { TrainingExample } from './options.js';
import { optimiserOptionsOf, scheduleOf, type TrainingSettings } from './settings.js';
import { Speedometer } from './speedometer.js';

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
  /** Steps behind it, those that were left out included. */
  readonly steps: number;
  readonly stoppedEarly: boolean;
  readonly skipped: readonly SkippedStep[];
  /** Loss of every step's batch. */
  readonly loss: readonly CurvePoint[];
  /** Validation scores, means over the tasks. */
  readonly validation: readonly CurvePoint[];
  /** What was chosen in every evaluation; empty where nothing is chosen. */
  readonly choiceUsage: readonly UsageAtStep[];
  /** In the order of the tasks. */
  readonly tasks: readonly TaskRun[];
  readonly best: BestSoFar;
  /** What the optimiser remembers after the last step. */
  readonly optimiser: OptimiserState;
}

/** Takes the optimiser through the batches, with evaluations in between and one at the end. */
export async function runLoop<Example>(options: LoopOptions<Example>): Promise<LoopResult> {
  const { tasks, settings, batches, tell, signal, checkpoints } = options;
  const resumed = checkpoints?.resumed;
  const steps = batches.length;
  const parameters = parametersOf(tasks);
  const schedule = steps === 0 ? () => 1 : scheduleOf(settings, steps);
  /** Steps behind the run. */
  let step = resumed?.step ?? 0;
  const optimiser = openOptimiser(tasks, settings, () => schedule(step));
  const state = resumed?.optimiser ?? options.optimiser;
  if (state !== undefined) optimiser.restore(state);
  if (resumed !== undefined) restoreLearners(tasks, parameters, resumed);
  const history: RunHistory = resumed?.history ?? emptyHistory();
  const speedometer = new Speedometer();
  // Predictions of the last one alone: those of a long run would fill the memory.
  let last: readonly Evaluation[] = [];
  let stoppedEarly = false;
  /** Where random streams stand after the last step or evaluation; what is cut off after that is done again. */
  let streams = streamsOf(tasks);

  const { show, pass } = showExamples<Example>();
  for (const behind of batches.slice(0, step)) pass(behind.task, behind.examples);
  const shownAt = (index: number): readonly TrainingExample<Example>[] => {
    const batch = batches[index];
    return batch === undefined ? [] : show(batch.task, batch.examples);
  };
  let upcoming = shownAt(step);
  while (step < steps) {
    if (step > 0 && step % settings.evaluateEvery === 0 && history.evaluations.at(-1)?.step !== step) {
      await score();
      speedometer.restart();
      stoppedEarly = isExhausted(history, settings.earlyStopping);
      if (stoppedEarly) break;
    }
    if (step > 0 && checkpoints?.isDue(step) === true) await save();
    // Lets signals and timers through: the backbone blocks the event loop.
    await setImmediate();
    if (signal?.aborted === true) throw await stopped(signal.reason);
    const { task } = nullThrows(batches[step], 'there is a batch for every step');
    const examples = upcoming;
    upcoming = shownAt(step + 1);
    await timed('data', () =>
      batches[step + 1]?.task.backbone.prepare?.(upcoming.map(({ example }) => example)),
    );
    const batch = timed('data', () => labelledBatch(examples));
    const learned = await task.learner.step(batch, { microBatch: settings.batch, step, steps });
    const quantity = notFinite(learned);
    if (quantity === undefined) take(task, learned, examples.length);
    else await leaveOut(quantity, examples);
    step++;
    streams = streamsOf(tasks);
  }
  if (!stoppedEarly) {
    await save();
    await score();
  }
  return {
    steps: step,
    stoppedEarly,
    skipped: history.skipped,
    loss: history.losses,
    validation: history.evaluations.map((at) => ({ step: at.step, value: meanScore(at.scores) })),
    choiceUsage: history.evaluations
      .filter(choosesAnything)
      .map(({ step: at, usage }) => ({ step: at, usage })),
    tasks: tasks.map((task, index) => ({
      loss: history.losses.filter((point) => batches[point.step - 1]?.task === task),
      validation: history.evaluations.map((at) => ({ step: at.step, value: at.scores[index] ?? 0 })),
      evaluation: nullThrows(last[index], 'every task is evaluated'),
    })),
    best: nullThrows(history.best, 'every run ends with an evaluation'),
    optimiser: optimiser.state(),
  };

  function take(task: LoopTask<Example>, learned: LearnerStep, examples: number): void {
    const { gradientNorm } = timed('optimiser', () => optimiser.step(parameters, learned.gradients));
    history.losses.push({ step: step + 1, value: learned.loss });
    tell({
      type: 'step',
      ...(tasks.length > 1 ? { task: task.name } : {}),
      step: step + 1,
      steps,
      loss: learned.loss,
      penalty: learned.penalty,
      gradientNorm,
      temperature: learned.temperature,
      learningRateFactor: schedule(step),
      examplesPerSecond: speedometer.count(examples),
    });
  }

  /** Goes on without an update, or stops with the state of before the step. */
  async function leaveOut(quantity: string, examples: readonly TrainingExample<Example>[]): Promise<void> {
    const { nanPolicy, nanLimit } = settings;
    const exampleIds = examples.map(({ id }) => id);
    if (nanPolicy === 'stop' || skippedInARow(history, step) + 1 >= nanLimit) {
      const checkpoint = await save().catch((error: unknown) => {
        tell({ type: 'notice', message: error instanceof Error ? error.message : String(error) });
        return undefined;
      });
      throw new NonFiniteLossError(quantity, step + 1, exampleIds, checkpoint);
    }
    history.skipped.push({ step: step + 1, quantity, exampleIds });
    const message = `step ${step + 1} was left out, ${quantity} is not finite; examples ${exampleIds.join(', ')}`;
    tell({ type: 'notice', message });
  }

  async function save(): Promise<string | undefined> {
    const featureStatistics = tasks[0]?.learner.featureStatistics;
    const saved = { step, parameters, featureStatistics, streams, history };
    return checkpoints?.save({ ...saved, optimiser: optimiser.state() });
  }

  async function stopped(reason: unknown): Promise<TrainingStoppedError> {
    return new TrainingStoppedError(step, reason, await save());
  }

  async function score(): Promise<void> {
    const ofTasks: Evaluation[] = [];
    for (const { backbone, learner, validation, metric } of tasks) {
      const batch = settings.evaluationBatch;
      const given = { backbone, learner, examples: validation, metric, batch, signal };
      ofTasks.push(
        await evaluate(given).catch(async (error: unknown) => {
          throw signal?.aborted === true ? await stopped(signal.reason) : error;
        }),
      );
    }
    for (const evaluation of ofTasks) requireNumbers(evaluation, step);
    last = ofTasks;
    const scores = ofTasks.map((evaluation) => evaluation.score);
    const evaluated = { step, scores, usage: ofTasks.map(({ usage }) => usage) };
    history.evaluations.push(evaluated);
    const mean = meanScore(scores);
    if (history.best === undefined || mean > history.best.score) {
      history.best = { score: mean, step, parameters: copyOf(parameters) };
    }
    streams = streamsOf(tasks);
    const each = Object.fromEntries(tasks.map(({ name }, index) => [name, scores[index] ?? 0]));
    tell({
      type: 'evaluated',
      step,
      score: mean,
      best: history.best.score,
      ...(tasks.length > 1 ? { tasks: each } : {}),
      ...(choosesAnything(evaluated) ? { usage: evaluated.usage } : {}),
    });
  }
}

/** The tensors of all learners, those that they share once. */
function parametersOf<Example>(tasks: readonly LoopTask<Example>[]): ParameterSet {
  return new Map(tasks.flatMap(({ learner }) => [...learner.parameters]));
}

function streamsOf<Example>(tasks: readonly LoopTask<Example>[]): RunState['streams'] {
  return tasks.flatMap(({ learner }) => learner.streams ?? []);
}

function restoreLearners<Example>(
  tasks: readonly LoopTask<Example>[],
  parameters: ParameterSet,
  state: RunState,
): void {
  restoreParameters(parameters, state.parameters);
  for (const { learner } of tasks) learner.restoreStreams?.(state.streams);
}

function openOptimiser<Example>(
  tasks: readonly LoopTask<Example>[],
  settings: TrainingSettings,
  schedule: () => number,
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

/** @throws NonFinitePredictionError naming the step. */
function requireNumbers({ ids, logits }: Evaluation, step: number): void {
  const classes = logits.length / ids.length;
  // The largest is NaN where any is; an answer that cannot be may have −∞.
  const without = ids.filter(
    (_, index) => !Number.isFinite(Math.max(...logits.subarray(index * classes, (index + 1) * classes))),
  );
  if (without.length > 0) throw new NonFinitePredictionError(step, without, ids.length);
}

function choosesAnything({ usage }: UsageAtStep): boolean {
  return usage.some((one) => one !== undefined);
}

/** What of a step is not finite. */
function notFinite({ loss, gradients }: LearnerStep): string | undefined {
  if (!Number.isFinite(loss)) return 'the loss';
  for (const [name, gradient] of gradients) {
    if (!gradient.every(Number.isFinite)) return `the gradient of ${name}`;
  }
  return undefined;
}

function copyOf(parameters: ParameterSet): ParameterSet {
  return new Map(
    [...parameters].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]),
  );
}
