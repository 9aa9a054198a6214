import { type LabelledDataset, loadTask, type RunResults, taskNamed } from '@dynaprompt/benchmarks';
import { ConfigurationError, type FrozenBackbone, selectBackend } from '@dynaprompt/core';
import type { HeadOptions, TextExample } from '@dynaprompt/text';
import { type Adapter, methodNamed, resolveSettings, type TrainingEvent } from '@dynaprompt/training';

import { openBackbone } from './backbone.js';
import type { ComparisonOptions } from './options.js';
import { applicationName } from './output-folder.js';
import { packageName } from './package-name.js';
import { type OpenTask, type Run, trainAll } from './runs.js';
import { describeTasks, summaryOf } from './summary.js';
import { versions } from './versions.js';

/** Draws the examples that `--limit` keeps; the same ones for every seed, so that seeds can be compared. */
const dataSeed = 1;

/** Told what a comparison does. */
export interface ComparisonListener {
  /** Data and backbone are there; the first run is next. */
  opened(scene: ComparisonScene): void;
  event(event: TrainingEvent): void;
  /** After the last run: what was trained beside the backbone. */
  trained(adapters: readonly Adapter[]): void;
}

/** What a comparison takes place on. */
export interface ComparisonScene {
  /** One for every task. */
  readonly data: readonly LabelledDataset[];
  readonly backbone: FrozenBackbone<TextExample>['description'];
  /** Package that computes the small networks. */
  readonly networks: string;
}

/** Trains every method with every seed on a task, or on several together, and sums up the scores. Nothing is written. */
export async function compare(
  options: ComparisonOptions,
  listener: ComparisonListener,
  signal: AbortSignal,
): Promise<RunResults> {
  const startedAt = new Date();
  const methods = options.methods.map((name) => methodNamed(name, { slots: options.slots }));
  // Complains of what cannot be used before anything is loaded.
  resolveSettings({ ...options.training, steps: options.steps });
  const sets = await loadTasks(options);
  signal.throwIfAborted();
  const networks = await selectBackend();
  const tasks: OpenTask[] = [];
  try {
    for (const data of sets) tasks.push(await openTask(options, data));
    const [first] = tasks.map(({ backbone }) => backbone.description);
    if (first !== undefined) listener.opened({ data: sets, backbone: first, networks: networks.packageName });
    const tell = (event: TrainingEvent): void => {
      listener.event(event);
    };
    const runs = await trainAll(options, methods, tasks, tell, signal);
    listener.trained([...runs.values()].flat().flatMap(({ adapters }) => adapters));
    return {
      app: applicationName,
      ...describeTasks(tasks),
      methods: Object.fromEntries([...runs].map(([name, ofMethod]) => [name, summaryOf(ofMethod)])),
      versions: versions(),
      config: configurationOf(options, runs, networks.packageName),
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
    };
  } finally {
    for (const { backbone } of tasks) await backbone.release();
  }
}

/** Loads the data of every task; folders go to those that need one, in order. */
async function loadTasks(options: ComparisonOptions): Promise<readonly LabelledDataset[]> {
  const { tasks, data, limit, validationLimit, shots, columns, evaluation, badRows } = options;
  if (tasks.length > 1 && columns !== undefined) {
    throw new ConfigurationError({
      packageName,
      subject: '--text-column',
      problem: 'columns cannot be named for several tasks',
      remedy: 'Leave the columns out, or run one task',
    });
  }
  const folders = [...data];
  const places = tasks.map((name) => {
    // A single task complains by itself of a folder too many or too few.
    const takesFolder = tasks.length === 1 || taskNamed(name).layout.kind !== 'bundled';
    return { name, folder: takesFolder ? folders.shift() : undefined };
  });
  if (folders.length > 0) {
    throw new ConfigurationError({
      packageName,
      subject: `--data ${data.join(',')}`,
      problem: `${folders.length} more folders than tasks that need one`,
      remedy: 'Name a folder for each task whose data is not bundled, in the order of the tasks',
    });
  }
  const sets: LabelledDataset[] = [];
  for (const { name, folder } of places) {
    const given = {
      seed: dataSeed,
      evaluation,
      badRows,
      ...(shots === undefined ? {} : { shots }),
      ...(limit === undefined ? {} : { limit }),
      ...(validationLimit === undefined ? {} : { validationLimit }),
      ...(columns === undefined ? {} : { columns }),
    };
    const set = await loadTask(name, folder, given);
    // Few shots are scored on the split that all examples would be; nothing is selected by the few that validate.
    sets.push({ ...set, validation: set.test ?? set.validation });
  }
  return sets;
}

async function openTask(
  { backbone, head: kind, slots, maxLength, compute }: ComparisonOptions,
  data: LabelledDataset,
): Promise<OpenTask> {
  const head = headOf(kind, data);
  return { data, head, backbone: await openBackbone(backbone, { head, slots, maxLength, compute }) };
}

/** The head of a task. @throws ConfigurationError where a verbaliser has no wording, or the answers are no classes. */
export function headOf(kind: ComparisonOptions['head'], data: LabelledDataset): HeadOptions {
  if (data.answer !== 'class') {
    throw new ConfigurationError({
      packageName,
      subject: `task ${data.name}`,
      problem: `its answers are ${data.answer === 'number' ? 'numbers' : 'candidates of each example'}, not classes`,
      remedy: 'Use a task that list shows classes for',
    });
  }
  if (kind === 'linear') return { kind, classes: data.labels.length };
  if (data.prompt === undefined) {
    throw new ConfigurationError({
      packageName,
      subject: `--head verbalizer for task ${data.name}`,
      problem: 'the task has no wording for its classes',
      remedy: 'Use --head linear',
    });
  }
  return { kind, ...data.prompt };
}

/** Everything that would have to be the same to get the same results. */
function configurationOf(
  options: ComparisonOptions,
  runs: ReadonlyMap<string, readonly Run[]>,
  networks: string,
): Record<string, unknown> {
  const prompts = [...runs].map(([name, [run]]) => [name, run?.configuration ?? null] as const);
  const [run] = [...runs.values()].flat();
  return { ...options, dataSeed, settings: run?.settings, prompts: Object.fromEntries(prompts), networks };
}
