import {
  ConfigurationError,
  type FeatureStatistics,
  nullThrows,
  type OptimiserState,
  type ParameterSet,
  type PromptConfiguration,
  timed,
} from '@dynaprompt/core';

import { identityOf, type RunIdentity } from '../checkpoint/identity.js';
import { resolveCheckpointOptions } from '../checkpoint/options.js';
import { RunCheckpoints } from '../checkpoint/run-checkpoints.js';
import { batchesOfRun } from '../data/order.js';
import type { UnsignedEvent } from '../events.js';
import { packageName } from '../package-name.js';
import { type InitialState, startFrom } from './initial-state.js';
import type { Learner } from './learner.js';
import type { CurvePoint, SkippedStep, UsageAtStep } from './history.js';
import { type LoopResult, runLoop } from './loop.js';
import type { LoopTask } from './loop-options.js';
import { resolveMethod } from './method.js';
import { NamedHead } from './named-head.js';
import { openLearners } from './open-learners.js';
import { requireExamples, type RunOptions, type TaskData, type TrainingExample } from './options.js';
import { resolveSettings, type TrainingSettings } from './settings.js';

/** A task with the name that parameters, messages and results have for it. */
export interface NamedTask<Example> extends TaskData<Example> {
  readonly name: string;
}

/** What every run leaves behind, whatever it was trained on. */
export interface RunResult {
  readonly method: string;
  /** Absent for a method without a prompt. */
  readonly configuration: PromptConfiguration | undefined;
  readonly settings: TrainingSettings;
  readonly seed: number;
  /** Steps behind the run, those that were left out included; 0 where there was nothing to train. */
  readonly steps: number;
  /** Whether `earlyStopping` ended it before its last step. */
  readonly stoppedEarly: boolean;
  /** Steps without an update, because their loss or gradient was not finite. */
  readonly skipped: readonly SkippedStep[];
  /** Step of the checkpoint that it went on from; absent where it began anew. */
  readonly resumedFrom: number | undefined;
  /** Validation score after the last step. */
  readonly final: number;
  /** Best validation score of the run. It is picked on the validation examples, so it flatters. */
  readonly best: number;
  readonly bestStep: number;
  /** Fixed standardisation of the features that the prompt's networks read. */
  readonly featureStatistics: FeatureStatistics | undefined;
  /** What the optimiser remembers after the last step. */
  readonly optimiser: OptimiserState;
  /** Numbers that the optimiser may change. */
  readonly trainableParameters: number;
  readonly loss: readonly CurvePoint[];
  readonly validation: readonly CurvePoint[];
  /** What the prompt chose in every evaluation, those before an interruption included; empty where nothing is chosen. */
  readonly choiceUsage: readonly UsageAtStep[];
  /** Wall-clock time, features and what came before an interruption included. */
  readonly seconds: number;
}

/** A run with everything in it. */
export interface TaskRuns<Example> {
  readonly result: RunResult;
  /** In the order of the tasks, their heads named where there are several. */
  readonly learners: readonly Learner<Example>[];
  /** After the last step, those of all learners. */
  readonly parameters: ParameterSet;
  readonly loop: LoopResult;
}

/**
 * Trains a method on tasks, one for every step.
 *
 * @param turnsOf which task each of so many steps belongs to; called once settings and examples are checked.
 */
export async function runTasks<Example>(
  options: RunOptions & { readonly initial?: InitialState | undefined },
  tasks: readonly NamedTask<Example>[],
  turnsOf: (steps: number) => readonly number[],
): Promise<TaskRuns<Example>> {
  const began = performance.now();
  const { seed, signal, initial } = options;
  const method = resolveMethod(options.method);
  const settings = resolveSettings(options);
  const several = tasks.length > 1;
  for (const { name, train, validation, backbone } of tasks) {
    const of = several ? `${name} ` : '';
    requireExamples(`${of}training`, train, backbone);
    requireExamples(`${of}validation`, validation, backbone);
  }
  const tell = (event: UnsignedEvent): void => {
    options.events?.({ ...event, method: method.name, seed });
  };
  const turns = turnsOf(options.steps);
  const batches = tasks.map((task, index) => {
    return batchesOf(task, settings, seed, turns.filter((turn) => turn === index).length);
  });
  const used = tasks.map((task, index) => {
    return { ...task, used: [...new Set((batches[index] ?? []).flat())].map(({ example }) => example) };
  });
  const checkpoints = await openCheckpoints(options, tell, began, () =>
    identityOf(
      { ...method, seed, steps: options.steps, settings, initial, ranks: options.exchange?.size ?? 1 },
      tasks.map((task, index) => ({ ...task, batches: batches[index] ?? [] })),
    ),
  );
  const resumed = checkpoints?.resumed;
  let opened: readonly Learner<Example>[] = [];
  try {
    opened = await openLearners({
      tasks: used,
      method,
      seed,
      initial:
        resumed === undefined
          ? initial
          : { parameters: {}, ...initial, featureStatistics: resumed.featureStatistics },
      exchange: options.exchange,
      tell,
      signal,
    });
    const learners = opened.map((learner, index) =>
      several ? new NamedHead(learner, tasks[index]?.name ?? '') : learner,
    );
    if (initial !== undefined) for (const learner of learners) startFrom(learner, initial);
    const parameters: ParameterSet = new Map(learners.flatMap((learner) => [...learner.parameters]));
    const loopTasks = tasks.map((task, index) => {
      return { ...task, learner: nullThrows(learners[index], 'every task has a learner') };
    });
    const steps = parameters.size === 0 ? [] : inTurn(loopTasks, batches, turns);
    const trainableParameters = countOf(parameters);
    tell({
      type: 'started',
      steps: steps.length,
      trainExamples: tasks.reduce((sum, { train }) => sum + train.length, 0),
      validationExamples: tasks.reduce((sum, { validation }) => sum + validation.length, 0),
      trainableParameters,
      ...(resumed === undefined ? {} : { resumedFrom: resumed.step }),
    });
    const loop = await runLoop({
      tasks: loopTasks,
      batches: steps,
      settings,
      optimiser: initial?.optimiser,
      checkpoints,
      tell,
      signal,
    });
    const seconds = checkpoints?.seconds ?? (performance.now() - began) / 1000;
    const final = nullThrows(loop.validation.at(-1), 'every run ends with an evaluation').value;
    tell({ type: 'finished', final, best: loop.best.score, seconds });
    const result: RunResult = {
      method: method.name,
      configuration: method.configuration,
      settings,
      seed,
      steps: loop.steps,
      stoppedEarly: loop.stoppedEarly,
      skipped: loop.skipped,
      resumedFrom: resumed?.step,
      final,
      best: loop.best.score,
      bestStep: loop.best.step,
      featureStatistics: learners[0]?.featureStatistics,
      optimiser: loop.optimiser,
      trainableParameters,
      loss: loop.loss,
      validation: loop.validation,
      choiceUsage: loop.choiceUsage,
      seconds,
    };
    return { result, learners, parameters, loop };
  } finally {
    for (const learner of opened) await learner.release?.();
    await checkpoints?.close();
  }
}

/** The checkpoints of a run that wants some. */
async function openCheckpoints(
  { checkpoint, resume = false }: RunOptions,
  tell: (event: UnsignedEvent) => void,
  began: number,
  identity: () => RunIdentity,
): Promise<RunCheckpoints | undefined> {
  if (checkpoint === undefined) {
    if (resume === false) return undefined;
    throw new ConfigurationError({
      packageName,
      subject: 'resume',
      problem: 'there is no folder of checkpoints to resume from',
      remedy: 'Give checkpoint.folder',
    });
  }
  return RunCheckpoints.open({
    settings: resolveCheckpointOptions(checkpoint),
    resume,
    identity: identity(),
    began,
    complain: (message) => {
      tell({ type: 'notice', message });
    },
  });
}

/** The first `count` batches of a task. */
function batchesOf<Example>(
  { backbone, train }: NamedTask<Example>,
  { batch, accumulation, bucketWindow }: TrainingSettings,
  seed: number,
  count: number,
): readonly (readonly TrainingExample<Example>[])[] {
  const at = (index: number): TrainingExample<Example> =>
    nullThrows(train[index], 'batches hold indices of training examples');
  const order = {
    count: train.length,
    batch: batch * accumulation,
    window: bucketWindow,
    lengthOf: (index: number) => backbone.lengthOf(at(index).example),
  };
  return timed('data', () => batchesOfRun(order, seed, count).map((indices) => indices.map(at)));
}

/** The batches of all tasks in the order of their turns. */
function inTurn<Example>(
  tasks: readonly LoopTask<Example>[],
  batches: readonly (readonly (readonly TrainingExample<Example>[])[])[],
  turns: readonly number[],
): readonly { readonly task: LoopTask<Example>; readonly examples: readonly TrainingExample<Example>[] }[] {
  const taken = tasks.map(() => 0);
  return turns.map((turn) => {
    const at = taken[turn] ?? 0;
    taken[turn] = at + 1;
    return {
      task: nullThrows(tasks[turn], 'a turn is the index of a task'),
      examples: nullThrows(batches[turn]?.[at], 'there is a batch for every turn'),
    };
  });
}

function countOf(parameters: ParameterSet): number {
  return [...parameters.values()].reduce((sum, { values }) => sum + values.length, 0);
}
