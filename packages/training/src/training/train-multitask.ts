import { ConfigurationError, nullThrows, type ParameterSet } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { Evaluation } from './evaluate.js';
import type { CurvePoint } from './history.js';
import { resolveMethod } from './method.js';
import type { RunOptions } from './options.js';
import { type NamedTask, type RunResult, runTasks } from './run.js';
import { drawTasks, type TaskSampling } from './task-sampling.js';

/** Options of {@link trainMultitask}. */
export interface MultitaskOptions<Example> extends RunOptions {
  /** One or more, on backbones of one width; each backbone is opened with its own task's head. */
  readonly tasks: readonly NamedTask<Example>[];
  /** Which task a step belongs to. Default: proportional to the training examples. */
  readonly sampling?: TaskSampling;
}

/** Trained tensors of several tasks. */
export interface MultitaskParameters {
  /** Shared by all tasks; empty without a prompt. */
  readonly prompt: ParameterSet;
  /** By task, under the names of the backbone. */
  readonly heads: ReadonlyMap<string, ParameterSet>;
}

/** How one task of several went. */
export interface TaskResult {
  readonly name: string;
  /** Optimiser steps on its examples. */
  readonly steps: number;
  /** Validation score after the last step of the run. */
  readonly final: number;
  /** Loss of the batches of its steps. */
  readonly loss: readonly CurvePoint[];
  readonly validation: readonly CurvePoint[];
  /** Predictions on its validation examples after the last step. */
  readonly evaluation: Evaluation;
}

/** What {@link trainMultitask} leaves behind; scores are means over the tasks, each counting alike. */
export interface MultitaskResult extends RunResult {
  readonly parameters: MultitaskParameters;
  /** As they were at `bestStep`. */
  readonly bestParameters: MultitaskParameters;
  /** In the order of the options. */
  readonly tasks: readonly TaskResult[];
}

/**
 * Trains one prompt for several tasks, with a head for each: pool, prompts and the weights of the networks are shared, biases
 * of the networks belong to a task (Yang et al. 2023, section 3.4). Every step is one batch of one task, drawn by seed. Without
 * a prompt, `frozen` and `linear-probe` train the heads alone. Equal options give bit-identical parameters.
 *
 * @throws ConfigurationError, DataError for options and examples that cannot be used, before anything is computed.
 * @throws NonFiniteLossError naming the batch, before the update; NonFinitePredictionError instead of a score that says nothing.
 * @throws TrainingStoppedError when the signal ended the run.
 * @throws CheckpointMismatchError, FolderInUseError, CheckpointWriteError where a run with checkpoints cannot begin, go on or leave its state.
 */
export async function trainMultitask<Example>(options: MultitaskOptions<Example>): Promise<MultitaskResult> {
  const { tasks, seed, sampling = { kind: 'proportional' } } = options;
  requireFittingTasks(options);
  const sizes = tasks.map(({ train }) => train.length);
  const { result, learners, parameters, loop } = await runTasks(options, tasks, (steps) =>
    drawTasks(sizes, sampling, seed, steps),
  );
  const split = (all: ParameterSet): MultitaskParameters => {
    const isHead = (name: string): boolean => learners.some(({ headParameters }) => headParameters.has(name));
    const heads = tasks.map(({ name }, index): [string, ParameterSet] => {
      const own = [...(learners[index]?.headParameters.keys() ?? [])];
      const prefix = tasks.length > 1 ? `${name}/` : '';
      return [
        name,
        new Map(
          own.map((key) => [key.slice(prefix.length), nullThrows(all.get(key), 'a head is a parameter')]),
        ),
      ];
    });
    return { prompt: new Map([...all].filter(([name]) => !isHead(name))), heads: new Map(heads) };
  };
  return {
    ...result,
    parameters: split(parameters),
    bestParameters: split(loop.best.parameters),
    tasks: loop.tasks.map(({ loss, validation, evaluation }, index) => ({
      name: tasks[index]?.name ?? '',
      steps: loss.length,
      final: evaluation.score,
      loss,
      validation,
      evaluation,
    })),
  };
}

function requireFittingTasks<Example>({ tasks, method }: MultitaskOptions<Example>): void {
  const [first] = tasks;
  if (first === undefined) throw unusable('tasks', 'there are none', 'Give at least one task');
  const names = tasks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) {
    throw unusable(`task "${twice}"`, 'two tasks have that name', 'Give every task a name of its own');
  }
  const resolved = resolveMethod(method);
  if (resolved.kind === 'fine-tuning' && tasks.length > 1) {
    throw unusable(
      'method "fine-tuning"',
      'the weights of several backbones cannot be shared',
      'Fine-tune every task by itself with trainPrompt, or train a prompt',
    );
  }
  for (const { name, backbone } of tasks) {
    const { width, description } = backbone;
    const own = `${width} wide with ${description.layers} layers for prompts`;
    const expected = `${first.backbone.width} wide with ${first.backbone.description.layers} layers for prompts`;
    if (own === expected) continue;
    throw unusable(
      `backbone of task "${name}"`,
      `it is ${own}, that of task "${first.name}" ${expected}`,
      'Open all tasks on the same model',
    );
  }
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
