import {
  type LabelledDataset,
  type LabelledExample,
  loadTask,
  majorityBaseline,
  methodResult,
  metrics,
  type RunResults,
  taskNamed,
} from '@dynaprompt/benchmarks';
import { ConfigurationError, type FrozenBackbone, nullThrows, selectBackend } from '@dynaprompt/core';
import type { TextExample } from '@dynaprompt/text';
import {
  FeatureCache,
  methodNamed,
  type TrainingEvent,
  type TrainingExample,
  type TrainingMethod,
  type TrainingResult,
  trainPrompt,
} from '@dynaprompt/training';

import { openBackbone } from './backbone.js';
import { thinned } from './curve.js';
import type { ComparisonOptions } from './options.js';
import { applicationName } from './output-folder.js';
import { packageName } from './package-name.js';
import { versions } from './versions.js';

/** Draws the examples that `--limit` keeps; the same ones for every seed, so that seeds can be compared. */
const dataSeed = 1;

/** Told what a comparison does. */
export interface ComparisonListener {
  /** Data and backbone are there; the first run is next. */
  opened(scene: ComparisonScene): void;
  event(event: TrainingEvent): void;
}

/** What a comparison takes place on. */
export interface ComparisonScene {
  readonly data: LabelledDataset;
  readonly backbone: FrozenBackbone<TextExample>['description'];
  /** Package that computes the small networks. */
  readonly networks: string;
}

/** Trains every method with every seed on a task, and sums up the scores. Nothing is written. */
export async function compare(
  options: ComparisonOptions,
  listener: ComparisonListener,
  signal: AbortSignal,
): Promise<RunResults> {
  const startedAt = new Date();
  taskNamed(options.task);
  const methods = options.methods.map((name) => methodNamed(name, { slots: options.slots }));
  const data = await loadTask(options.task, options.data, {
    seed: dataSeed,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    ...(options.validationLimit === undefined ? {} : { validationLimit: options.validationLimit }),
    ...(options.columns === undefined ? {} : { columns: options.columns }),
  });
  signal.throwIfAborted();
  const networks = await selectBackend();
  const backbone = await openBackbone(options.backbone, {
    head: headOf(options, data),
    slots: options.slots,
    maxLength: options.maxLength,
  });
  try {
    listener.opened({ data, backbone: backbone.description, networks: networks.packageName });
    const results = await trainAll(options, methods, data, backbone, listener, signal);
    return {
      app: applicationName,
      task: data.name,
      backbone: backbone.description.name,
      metric: data.metric,
      data: {
        description: data.description,
        license: data.license,
        source: data.source,
        labels: data.labels,
        train: data.train.length,
        validation: data.validation.length,
      },
      majority: majorityOf(data),
      backboneDetails: detailsOf(backbone),
      methods: Object.fromEntries([...results].map(([name, runs]) => [name, summaryOf(runs)])),
      versions: versions(),
      config: configurationOf(options, results, networks.packageName),
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
    };
  } finally {
    await backbone.release();
  }
}

async function trainAll(
  options: ComparisonOptions,
  methods: readonly TrainingMethod[],
  data: LabelledDataset,
  backbone: FrozenBackbone<TextExample>,
  listener: ComparisonListener,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly TrainingResult[]>> {
  const notices = new Set<string>();
  const features = new FeatureCache(backbone, { warn: (message) => notices.add(message) });
  const train = data.train.map(trainingExample);
  const validation = data.validation.map(trainingExample);
  const results = new Map<string, TrainingResult[]>();
  for (const method of methods) {
    for (const seed of options.seeds) {
      const result = await trainPrompt<TextExample>({
        backbone,
        train,
        validation,
        method,
        metric: metrics[data.metric].score,
        seed,
        steps: options.steps,
        batch: options.batch,
        accumulation: options.accumulation,
        learningRates: options.learningRates,
        features,
        signal,
        events: (event) => {
          listener.event(event);
          for (const message of notices) {
            listener.event({ type: 'notice', method: event.method, seed, message });
            notices.delete(message);
          }
        },
        ...(options.evaluateEvery === undefined ? {} : { evaluateEvery: options.evaluateEvery }),
      });
      results.set(result.method, [...(results.get(result.method) ?? []), result]);
    }
  }
  return results;
}

function trainingExample(example: LabelledExample): TrainingExample<TextExample> {
  return { id: example.id, example, label: example.label };
}

function headOf(
  { head, task }: ComparisonOptions,
  data: LabelledDataset,
): Parameters<typeof openBackbone>[1]['head'] {
  if (head === 'linear') return { kind: 'linear', classes: data.labels.length };
  if (data.prompt === undefined) {
    throw new ConfigurationError({
      packageName,
      subject: `--head verbalizer for task ${task}`,
      problem: 'the task has no wording for its classes',
      remedy: 'Use --head linear',
    });
  }
  return { kind: 'verbalizer', ...data.prompt };
}

function majorityOf(data: LabelledDataset): RunResults['majority'] {
  const labels = (split: readonly LabelledExample[]): number[] => split.map(({ label }) => label);
  const { label, score } = majorityBaseline(labels(data.train), labels(data.validation), data.metric);
  return { label: nullThrows(data.labels[label], 'a label is an index of the labels'), score };
}

function detailsOf({ description }: FrozenBackbone<TextExample>): RunResults['backboneDetails'] {
  const { family, revision, dtype, parameters } = description;
  return { family, revision, dtype, parameters };
}

function summaryOf(runs: readonly TrainingResult[]): RunResults['methods'][string] {
  const curves = runs.map(({ seed, seconds, loss, validation }) => ({
    seed,
    seconds,
    loss: thinned(loss),
    validation,
  }));
  return methodResult(curves, Math.max(...runs.map((run) => run.trainableParameters)));
}

/** Everything that would have to be the same to get the same results. */
function configurationOf(
  options: ComparisonOptions,
  results: ReadonlyMap<string, readonly TrainingResult[]>,
  networks: string,
): Record<string, unknown> {
  const prompts = [...results].map(([name, [run]]) => [name, run?.configuration ?? null] as const);
  const [run] = [...results.values()].flat();
  return { ...options, dataSeed, settings: run?.settings, prompts: Object.fromEntries(prompts), networks };
}
