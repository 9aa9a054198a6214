import { compareMethods, type RunRecord, type RunResults } from '@dynaprompt/benchmarks';
import { type BackboneDescription, selectBackend } from '@dynaprompt/core';
import { type Adapter, resolveSettings, type TrainingEvent } from '@dynaprompt/training';

import type { Domain, OpenTask, TaskSet } from '../domain.js';
import type { ComparisonOptions } from '../options/comparison.js';
import { releaseBackbones } from './backbones.js';
import { inspectionsOf } from './inspections.js';
import { methodOf } from './methods.js';
import { predictionsOf } from './predictions.js';
import { type Run, type RunMeans, trainAll } from './runs.js';
import { describeTasks, summaryOf } from './summary.js';

/** Told what a comparison does. */
export interface ComparisonListener {
  /** Data and backbone are there; the first run is next. */
  opened(scene: ComparisonScene): void;
  /** How training goes. */
  event(event: TrainingEvent): void;
  /** After the last run: what was trained beside the backbone, and what is written beside the results. */
  trained(adapters: readonly Adapter[], record: RunRecord): void;
}

/** What a comparison takes place on. */
export interface ComparisonScene {
  /** One for every task. */
  readonly data: readonly TaskSet<unknown>[];
  readonly backbone: BackboneDescription;
  /** Package that computes the small networks. */
  readonly networks: string;
}

/** Trains every method with every seed on a task, or on several together, and sums up the scores. Nothing is written. */
export async function compare<Example, Options extends ComparisonOptions>(
  domain: Pick<Domain<Example, Options>, 'application' | 'load' | 'measure' | 'baselines'>,
  options: Options,
  listener: ComparisonListener,
  signal: AbortSignal,
  means: RunMeans = {},
): Promise<RunResults> {
  const startedAt = new Date();
  const methods = options.methods.map((name) => methodOf(name, options));
  // Complains of what cannot be used before anything is loaded.
  const { steps, evaluateEvery, earlyStopping } = options;
  resolveSettings({ ...options.training, ...(evaluateEvery && { evaluateEvery }), earlyStopping, steps });
  const loaded = await domain.load(options, signal);
  signal.throwIfAborted();
  const networks = await selectBackend();
  const tasks: OpenTask<Example>[] = [];
  try {
    for (const task of loaded) tasks.push({ data: task.data, ...(await task.open()) });
    const [first] = tasks.map(({ backbone }) => backbone.description);
    const data = tasks.map((task) => task.data);
    if (first !== undefined) listener.opened({ data, backbone: first, networks: networks.packageName });
    const tell = (event: TrainingEvent): void => {
      listener.event(event);
    };
    const runs = await trainAll(domain, options, methods, tasks, tell, signal, means);
    const predictions = predictionsOf(runs, tasks);
    const inspections = await inspectionsOf(runs, tasks, predictions);
    const { pipeline, command } = domain.application;
    listener.trained(
      [...runs.values()].flat().flatMap(({ adapters }) => adapters),
      { predictions, inspections, pipeline, command },
    );
    const summaries = Object.fromEntries([...runs].map(([name, ofMethod]) => [name, summaryOf(ofMethod)]));
    const comparisons = compareMethods(summaries, predictions);
    return {
      app: domain.application.name,
      ...describeTasks(tasks),
      ...baselinesOf(domain, data),
      methods: summaries,
      ...(comparisons && { comparisons }),
      versions: domain.application.versions,
      config: configurationOf(options, runs, networks.packageName),
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
    };
  } finally {
    for (const task of tasks) await releaseBackbones(task);
  }
}

/** Those of a single task; scores of several are means that these have no part in. */
function baselinesOf<Example>(
  domain: Pick<Domain<Example>, 'baselines'>,
  [data, ...others]: readonly TaskSet<Example>[],
): Partial<Pick<RunResults, 'baselines'>> {
  if (domain.baselines === undefined || data === undefined || others.length > 0) return {};
  return { baselines: domain.baselines(data) };
}

/** Everything that would have to be the same to get the same results. */
function configurationOf(
  options: ComparisonOptions,
  runs: ReadonlyMap<string, readonly Run[]>,
  networks: string,
): Record<string, unknown> {
  const prompts = [...runs].map(([name, [run]]) => [name, run?.configuration ?? null] as const);
  const [run] = [...runs.values()].flat();
  return { ...options, settings: run?.settings, prompts: Object.fromEntries(prompts), networks };
}
