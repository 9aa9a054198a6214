import { join } from 'node:path';

import { metrics, type SeedRun } from '@dynaprompt/benchmarks';
import { nullThrows } from '@dynaprompt/core';
import {
  type Adapter,
  type Evaluation,
  type GradientExchange,
  type NamedTask,
  type RunOptions,
  type RunResult,
  type TrainingEvent,
  type TrainingMethod,
  trainMultitask,
  trainPrompt,
} from '@dynaprompt/training';

import type { Domain, Measures, OpenTask } from '../domain.js';
import type { ComparisonOptions } from '../options/comparison.js';
import { adaptersOf, adaptersOfTasks } from '../output/save-adapters.js';
import { type FeatureHost, featureHosts } from './backbones.js';

/** One run of a method with one seed, on one task or on several. */
export interface Run extends RunResult {
  /** What the prompt chose, one for each task. */
  readonly usage: NonNullable<SeedRun['usage']>;
  /** The same after every evaluation, those before an interruption included. */
  readonly usageOverTraining: NonNullable<SeedRun['usageOverTraining']>;
  /** After the last step, in the order of the tasks. */
  readonly evaluations: readonly Evaluation[];
  /** Last score of every task, where there are several. */
  readonly tasks?: Readonly<Record<string, number>>;
  /** What the domain measures besides; of several tasks only the shares. */
  readonly measured: Measures;
  /** What can be saved of it. */
  readonly adapters: readonly Adapter[];
}

/** The same as the trainer takes it. */
type OpenNamedTask<Example> = OpenTask<Example> & NamedTask<Example>;

/** What runs need of a domain. */
type Measuring<Example> = Pick<Domain<Example>, 'application' | 'measure'>;

/** Where and how often runs leave their state. Plain data. */
export interface CheckpointPlan {
  /** Holds a folder for each run. */
  readonly folder: string;
  /** Default: that of the trainer. */
  readonly everySteps: number | undefined;
  /** Go on where there are checkpoints. */
  readonly resume: boolean;
}

/** What runs are made with besides their options; changes no result beyond rounding. */
export interface RunMeans {
  readonly exchange?: GradientExchange | undefined;
  /** Ends the runs; default: what ends everything else. */
  readonly stopping?: AbortSignal | undefined;
  readonly checkpoints?: CheckpointPlan | undefined;
}

/** Trains every method with every seed; by name of the method. */
export async function trainAll<Example>(
  domain: Measuring<Example>,
  options: ComparisonOptions,
  methods: readonly TrainingMethod[],
  tasks: readonly OpenTask<Example>[],
  tell: (event: TrainingEvent) => void,
  signal: AbortSignal,
  { exchange, stopping = signal, checkpoints }: RunMeans = {},
): Promise<ReadonlyMap<string, readonly Run[]>> {
  const notices = new Set<string>();
  const places = tasks.map((task) => ({
    task,
    hostFor: featureHosts(task, (message) => notices.add(message)),
  }));
  const runs = new Map<string, Run[]>();
  for (const method of methods) {
    const named: OpenNamedTask<Example>[] = [];
    for (const { task, hostFor } of places) named.push(namedTask(task, await hostFor(method)));
    for (const seed of options.seeds) {
      const { steps, batch, accumulation, training, evaluateEvery, nanPolicy, earlyStopping } = options;
      const name = typeof method === 'object' ? method.name : method;
      const settings: RunOptions = {
        ...training,
        method,
        seed,
        steps,
        batch,
        accumulation,
        signal: stopping,
        exchange,
        earlyStopping,
        ...(nanPolicy === undefined ? {} : { nanPolicy }),
        ...(checkpoints && checkpointOptions(checkpoints, `${name}-seed${seed}`)),
        events: (event) => {
          tell(event);
          for (const message of notices) {
            tell({ type: 'notice', method: event.method, seed, message });
            notices.delete(message);
          }
        },
        ...(evaluateEvery === undefined ? {} : { evaluateEvery }),
      };
      const [task] = named;
      const run =
        task !== undefined && named.length === 1
          ? await trainOne(domain, task, settings)
          : await trainTogether(domain, named, settings, options.sampling);
      runs.set(run.method, [...(runs.get(run.method) ?? []), run]);
    }
  }
  return runs;
}

function checkpointOptions(
  { folder, everySteps, resume }: CheckpointPlan,
  run: string,
): Pick<RunOptions, 'checkpoint' | 'resume'> {
  return { checkpoint: { folder: join(folder, run), everySteps }, resume: resume && 'auto' };
}

async function trainOne<Example>(
  domain: Measuring<Example>,
  task: OpenNamedTask<Example>,
  options: RunOptions,
): Promise<Run> {
  const result = await trainPrompt({ ...options, ...task });
  const evaluations = [result.evaluation];
  const adapters = adaptersOf(result, task, domain.application.versions);
  return {
    ...result,
    evaluations,
    measured: await measuresOf(domain, [task], { method: result.method, evaluations, adapters }),
    usage: usageOf(result.evaluation),
    usageOverTraining: usageOverTraining(result, [task]),
    adapters,
  };
}

async function trainTogether<Example>(
  domain: Measuring<Example>,
  tasks: readonly OpenNamedTask<Example>[],
  options: RunOptions,
  sampling: ComparisonOptions['sampling'],
): Promise<Run> {
  const result = await trainMultitask({ ...options, tasks, sampling });
  const evaluations = result.tasks.map(({ evaluation }) => evaluation);
  const adapters = adaptersOfTasks(result, tasks, domain.application.versions);
  return {
    ...result,
    evaluations,
    measured: await measuresOf(domain, tasks, { method: result.method, evaluations, adapters }),
    usage: result.tasks.flatMap(({ name, evaluation }) => usageOf(evaluation, name)),
    usageOverTraining: usageOverTraining(result, tasks),
    tasks: Object.fromEntries(result.tasks.map(({ name, final }) => [name, final])),
    adapters,
  };
}

/** What the prompt chose on every task in every evaluation. */
function usageOverTraining(
  { choiceUsage }: Pick<RunResult, 'choiceUsage'>,
  tasks: readonly { readonly name: string }[],
): Run['usageOverTraining'] {
  return choiceUsage.flatMap(({ step, usage: ofTasks }) =>
    ofTasks.flatMap((usage, index) =>
      usageOf({ usage }, tasks.length > 1 ? tasks[index]?.name : undefined).map((choices) => ({
        ...choices,
        step,
      })),
    ),
  );
}

function usageOf({ usage }: Pick<Evaluation, 'usage'>, task?: string): Run['usage'] {
  if (usage === undefined) return [];
  const { positions = null, lengths = null, pool = null } = usage;
  return [{ ...(task === undefined ? {} : { task }), positions, lengths, pool }];
}

async function measuresOf<Example>(
  { measure }: Measuring<Example>,
  tasks: readonly OpenTask<Example>[],
  { method, evaluations, adapters }: Pick<Run, 'method' | 'evaluations' | 'adapters'>,
): Promise<Measures> {
  const all: (Measures & { readonly name: string })[] = [];
  for (const [index, evaluation] of evaluations.entries()) {
    const { data, measureFurther } = nullThrows(tasks[index], 'every task was evaluated');
    const { name } = data;
    const own = measure?.(evaluation, data) ?? {};
    const adapter = adapters.find(({ task }) => task.name === name);
    const further = await measureFurther?.({ method, score: evaluation.score, adapter });
    const measures = { ...own.measures, ...further };
    all.push({ name, ...own, ...(Object.keys(measures).length > 0 && { measures }) });
  }
  if (all.every((one) => one.confusion === undefined && one.measures === undefined)) return {};
  const [only, ...others] = all;
  if (only !== undefined && others.length === 0) {
    const { confusion, measures } = only;
    return { ...(confusion && { confusion }), ...(measures && { measures }) };
  }
  const entries = all.flatMap(({ name, measures = {} }) =>
    Object.entries(measures).map(([measure, value]) => [`${name}: ${measure}`, value] as const),
  );
  return { measures: Object.fromEntries(entries) };
}

function namedTask<Example>(task: OpenTask<Example>, host: FeatureHost<Example>): OpenNamedTask<Example> {
  const { data } = task;
  return {
    ...task,
    ...host,
    name: data.name,
    train: data.train,
    validation: data.validation,
    metric: metrics[data.metric].score,
  };
}
