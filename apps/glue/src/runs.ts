import { metrics, type LabelledDataset, type LabelledExample, type SeedRun } from '@dynaprompt/benchmarks';
import type { FrozenBackbone } from '@dynaprompt/core';
import type { HeadOptions, TextExample } from '@dynaprompt/text';
import {
  type Adapter,
  type Evaluation,
  FeatureCache,
  type NamedTask,
  type RunOptions,
  type RunResult,
  type TrainingEvent,
  type TrainingExample,
  type TrainingMethod,
  trainMultitask,
  trainPrompt,
} from '@dynaprompt/training';

import { adaptersOf, adaptersOfTasks } from './adapters.js';
import type { ComparisonOptions } from './options.js';

/** A task with the backbone that is opened with its head. */
export interface OpenTask {
  readonly data: LabelledDataset;
  readonly backbone: FrozenBackbone<TextExample>;
  readonly head: HeadOptions;
}

/** One run of a method with one seed, on one task or on several. */
export interface Run extends RunResult {
  /** What the prompt chose, one for each task. */
  readonly usage: NonNullable<SeedRun['usage']>;
  /** Last score of every task, where there are several. */
  readonly tasks?: Readonly<Record<string, number>>;
  /** What can be saved of it. */
  readonly adapters: readonly Adapter[];
}

/** The same as the trainer takes it. */
type OpenNamedTask = OpenTask & NamedTask<TextExample>;

/** Trains every method with every seed; by name of the method. */
export async function trainAll(
  options: ComparisonOptions,
  methods: readonly TrainingMethod[],
  tasks: readonly OpenTask[],
  tell: (event: TrainingEvent) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Run[]>> {
  const notices = new Set<string>();
  const named = tasks.map((task) => namedTask(task, (message) => notices.add(message)));
  const runs = new Map<string, Run[]>();
  for (const method of methods) {
    for (const seed of options.seeds) {
      const { steps, batch, accumulation, training, evaluateEvery } = options;
      const settings: RunOptions = {
        ...training,
        method,
        seed,
        steps,
        batch,
        accumulation,
        signal,
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
          ? await trainOne(task, settings)
          : await trainTogether(named, settings, options.sampling);
      runs.set(run.method, [...(runs.get(run.method) ?? []), run]);
    }
  }
  return runs;
}

async function trainOne(task: OpenNamedTask, options: RunOptions): Promise<Run> {
  const result = await trainPrompt({ ...options, ...task });
  return { ...result, usage: usageOf(result.evaluation), adapters: adaptersOf(result, task) };
}

async function trainTogether(
  tasks: readonly OpenNamedTask[],
  options: RunOptions,
  sampling: ComparisonOptions['sampling'],
): Promise<Run> {
  const result = await trainMultitask({ ...options, tasks, sampling });
  return {
    ...result,
    usage: result.tasks.flatMap(({ name, evaluation }) => usageOf(evaluation, name)),
    tasks: Object.fromEntries(result.tasks.map(({ name, final }) => [name, final])),
    adapters: adaptersOfTasks(result, tasks),
  };
}

function usageOf({ usage }: Evaluation, task?: string): Run['usage'] {
  if (usage === undefined) return [];
  const { positions = null, lengths = null, pool = null } = usage;
  return [{ ...(task === undefined ? {} : { task }), positions, lengths, pool }];
}

function namedTask(task: OpenTask, warn: (message: string) => void): OpenNamedTask {
  const { data, backbone } = task;
  return {
    ...task,
    name: data.name,
    train: data.train.map(trainingExample),
    validation: data.validation.map(trainingExample),
    metric: metrics[data.metric].score,
    features: new FeatureCache(backbone, { warn }),
  };
}

function trainingExample(example: LabelledExample): TrainingExample<TextExample> {
  return { id: example.id, example, label: example.label };
}
