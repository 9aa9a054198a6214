import {
  majorityBaseline,
  methodResult,
  metrics,
  type RunResults,
  type ScoreName,
} from '@dynaprompt/benchmarks';
import { type BackboneDescription, nullThrows } from '@dynaprompt/core';

import { evenly, thinned } from './curve.js';
import type { TaskSet } from '../domain.js';
import type { Run } from './runs.js';

/** What is said of a task and its backbone. */
interface DescribedTask {
  readonly data: TaskSet<unknown>;
  readonly backbone: { readonly description: BackboneDescription };
}

type TaskPart = Pick<RunResults, 'task' | 'backbone' | 'metric' | 'data' | 'majority' | 'backboneDetails'> &
  Partial<Pick<RunResults, 'tasks'>>;

/** What results say of the tasks and of the frozen model; several tasks are summed up, and stand there one by one too. */
export function describeTasks(tasks: readonly DescribedTask[]): TaskPart {
  const { backbone, data } = nullThrows(tasks[0], 'there is a task');
  const { family, revision, commit, dtype, parameters, name } = backbone.description;
  const sets = tasks.map((task) => task.data);
  const opened = { family, revision, ...(commit === undefined ? {} : { commit }), dtype, parameters };
  const shared = { backbone: name, backboneDetails: opened };
  if (tasks.length === 1) {
    return {
      ...shared,
      task: data.name,
      metric: data.metric,
      data: dataOf(data),
      majority: majorityOf(data),
    };
  }
  const names = sets.map((set) => set.name).join(', ');
  const majorities = sets.map(majorityOf);
  return {
    ...shared,
    task: names,
    metric: metricOf(sets),
    data: {
      description: `${tasks.length} tasks that share one prompt: ${names}.`,
      license: unique(sets.map((set) => set.license)).join('; '),
      source: unique(sets.map((set) => set.source)).join('; '),
      ...attributionOf(sets),
      labels: unique(sets.flatMap((set) => set.labels)),
      train: sets.reduce((sum, { train }) => sum + train.length, 0),
      validation: sets.reduce((sum, { validation }) => sum + validation.length, 0),
      ...skippedOf(sets),
    },
    majority: {
      label: 'of each task',
      score: majorities.reduce((sum, { score }) => sum + score, 0) / sets.length,
    },
    tasks: Object.fromEntries(
      sets.map((set) => {
        const { description, labels, train, validation } = dataOf(set);
        return [
          set.name,
          { metric: set.metric, description, labels, train, validation, majority: majorityOf(set) },
        ];
      }),
    ),
  };
}

/** The metric that all data sets have, or that their scores are averaged. */
export function metricOf(sets: readonly TaskSet<unknown>[]): ScoreName {
  const [metric, ...others] = unique(sets.map((set) => set.metric));
  return others.length > 0 ? 'mean' : nullThrows(metric, 'there is a task');
}

/** A method's part of the results. */
export function summaryOf(runs: readonly Run[]): RunResults['methods'][string] {
  const seeds = runs.map(
    ({ seed, seconds, loss, validation, usage, usageOverTraining, skipped, tasks, measured }) => ({
      seed,
      seconds,
      loss: thinned(loss),
      validation,
      usage,
      usageOverTraining: evenly(usageOverTraining),
      skipped,
      ...measured,
      ...(tasks === undefined ? {} : { tasks }),
    }),
  );
  return methodResult(seeds, Math.max(...runs.map((run) => run.trainableParameters)));
}

function dataOf(data: TaskSet<unknown>): RunResults['data'] {
  const { description, license, source, attribution, labels, train, validation, skipped } = data;
  return {
    description,
    license,
    source,
    ...(attribution === undefined ? {} : { attribution }),
    labels,
    train: train.length,
    validation: validation.length,
    ...(skipped && { skipped }),
  };
}

/** What has to be said of any of the sets. */
function attributionOf(sets: readonly TaskSet<unknown>[]): Pick<RunResults['data'], 'attribution'> {
  const all = unique(sets.flatMap(({ attribution }) => attribution ?? []));
  return all.length === 0 ? {} : { attribution: all.join('; ') };
}

/** Bad rows of all sets together. */
function skippedOf(sets: readonly TaskSet<unknown>[]): Pick<RunResults['data'], 'skipped'> {
  const skipped = sets.flatMap((set) => set.skipped ?? []);
  if (skipped.length === 0) return {};
  const count = skipped.reduce((sum, rows) => sum + rows.count, 0);
  return { skipped: { count, first: skipped.flatMap((rows) => rows.first) } };
}

/** Always the same answer: the most frequent class or place among the candidates, or the mean of the numbers. */
export function majorityOf({
  labels,
  train,
  validation,
  metric,
}: Pick<TaskSet<unknown>, 'labels' | 'train' | 'validation' | 'metric'>): RunResults['majority'] {
  const answers = (split: TaskSet<unknown>['train']): number[] =>
    split.map(({ label, target }) => target ?? label);
  if (train.some(({ target }) => target !== undefined)) {
    const mean = answers(train).reduce((sum, answer) => sum + answer, 0) / train.length;
    const constant = new Float64Array(validation.length).fill(mean);
    return {
      label: `the mean, ${mean.toFixed(2)}`,
      score: metrics[metric].score(constant, answers(validation)),
    };
  }
  const creditsOf = (chosen: number): number[] =>
    validation.map(({ label, credits }) =>
      credits === undefined ? Number(chosen === label) : (credits.get(chosen) ?? 0),
    );
  const { label, score } = majorityBaseline(answers(train), answers(validation), metric, creditsOf);
  return { label: labels[label] ?? `candidate ${label + 1}`, score };
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}
