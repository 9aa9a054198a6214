import { join } from 'node:path';

import { metrics, type SeedRun } from '@dynaprompt/benchmarks';
import { type FrozenBackbone, nullThrows } from '@dynaprompt/core';
import {
  type Adapter,
  type Evaluation,
  FeatureCache,
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
import { backboneFor } from './backbones.js';

/** One run of a method with one seed, on one task or on several. */
export interface Run extends RunResult {
  /** What the prompt chose, one for each task. */
  readonly usage: NonNullable<SeedRun['usage']>;
  /** The same after every evaluation. */
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

/** A run whose evaluations were not listened to yet. */
type TrainedRun = Omit<Run, 'usageOverTraining'>;

type UsagePoint = Run['usageOverTraining'][number];

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
  const known = new Map<FrozenBackbone<Example>, OpenNamedTask<Example>>();
  const namedFor = (task: OpenTask<Example>, method: TrainingMethod): OpenNamedTask<Example> => {
    const backbone = backboneFor(task, method);
    const named = known.get(backbone) ?? namedTask({ ...task, backbone }, (message) => notices.add(message));
    known.set(backbone, named);
    return named;
  };
  const runs = new Map<string, Run[]>();
  for (const method of methods) {
    const named = tasks.map((task) => namedFor(task, method));
    for (const seed of options.seeds) {
      const { steps, batch, accumulation, training, evaluateEvery, nanPolicy, earlyStopping } = options;
      const name = typeof method === 'object' ? method.name : method;
      const usageOverTraining: UsagePoint[] = [];
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
          usageOverTraining.push(...usagePoints(event, named));
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
      runs.set(run.method, [...(runs.get(run.method) ?? []), { ...run, usageOverTraining }]);
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
): Promise<TrainedRun> {
  const result = await trainPrompt({ ...options, ...task });
  return {
    ...result,
    evaluations: [result.evaluation],
    measured: measuresOf(domain, [task], [result.evaluation]),
    usage: usageOf(result.evaluation),
    adapters: adaptersOf(result, task, domain.application.versions),
  };
}

async function trainTogether<Example>(
  domain: Measuring<Example>,
  tasks: readonly OpenNamedTask<Example>[],
  options: RunOptions,
  sampling: ComparisonOptions['sampling'],
): Promise<TrainedRun> {
  const result = await trainMultitask({ ...options, tasks, sampling });
  const evaluations = result.tasks.map(({ evaluation }) => evaluation);
  return {
    ...result,
    evaluations,
    measured: measuresOf(domain, tasks, evaluations),
    usage: result.tasks.flatMap(({ name, evaluation }) => usageOf(evaluation, name)),
    tasks: Object.fromEntries(result.tasks.map(({ name, final }) => [name, final])),
    adapters: adaptersOfTasks(result, tasks, domain.application.versions),
  };
}

/** What the prompt chose on every task, where an evaluation says so. */
function usagePoints(
  event: TrainingEvent,
  tasks: readonly { readonly name: string }[],
): readonly UsagePoint[] {
  if (event.type !== 'evaluated') return [];
  return (event.usage ?? []).flatMap((usage, index) =>
    usageOf({ usage }, tasks.length > 1 ? tasks[index]?.name : undefined).map((choices) => ({
      ...choices,
      step: event.step,
    })),
  );
}

function usageOf({ usage }: Pick<Evaluation, 'usage'>, task?: string): Run['usage'] {
  if (usage === undefined) return [];
  const { positions = null, lengths = null, pool = null } = usage;
  return [{ ...(task === undefined ? {} : { task }), positions, lengths, pool }];
}

function measuresOf<Example>(
  { measure }: Measuring<Example>,
  tasks: readonly OpenTask<Example>[],
  evaluations: readonly Evaluation[],
): Measures {
  if (measure === undefined) return {};
  const all = evaluations.map((evaluation, index) => {
    const { data } = nullThrows(tasks[index], 'every task was evaluated');
    return { name: data.name, ...measure(evaluation, data) };
  });
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

function namedTask<Example>(
  task: OpenTask<Example>,
  warn: (message: string) => void,
): OpenNamedTask<Example> {
  const { data, backbone } = task;
  return {
    ...task,
    name: data.name,
    train: data.train,
    validation: data.validation,
    metric: metrics[data.metric].score,
    features: new FeatureCache(backbone, { warn }),
  };
}
