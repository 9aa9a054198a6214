import { formatTable } from '@dynaprompt/benchmarks';
import { type BackboneDescription, nullThrows, selectBackend } from '@dynaprompt/core';
import { resolveSettings } from '@dynaprompt/training';

import { releaseBackbones } from '../comparison/backbones.js';
import { methodOf } from '../comparison/methods.js';
import type { ComparisonDomain } from '../comparison/perform.js';
import { clockTime } from '../display/run-clock.js';
import type { OpenTask } from '../domain.js';
import type { ComparisonOptions, OutputOptions } from '../options/comparison.js';
import { requireOutputFolder } from '../output/output-folder.js';
import { estimateOf, type MethodEstimate, type TaskSize } from './estimate.js';
import { Measurer, type MethodMeasures } from './measure.js';

/** What a comparison would be and take. Plain JSON. */
export interface DryRun {
  readonly backbone: BackboneDescription;
  /** `batch` and `length`: shape of the pass that was timed, in examples and the backbone's own units. */
  readonly tasks: readonly {
    readonly name: string;
    readonly train: number;
    readonly validation: number;
    readonly batch: number;
    readonly length: number;
    /** [batch, classes] */
    readonly logits: readonly [number, number];
  }[];
  readonly methods: readonly MethodEstimate[];
  /** The frozen model's vectors of all examples, once for all runs; less where they are cached. */
  readonly featureSeconds: number;
  /** All methods and seeds. */
  readonly totalSeconds: number;
  /** Most memory of this process, which has opened the backbone and taken a pass of every method. */
  readonly peakBytes: number;
}

/** Says what a comparison would be and take, from two timed passes of every method; nothing is trained, written or cached. */
export async function dryRun<Example, Options extends ComparisonOptions>(
  domain: ComparisonDomain<Example, Options>,
  options: Options,
  { output, force, json }: OutputOptions,
  signal: AbortSignal,
): Promise<void> {
  await requireOutputFolder(domain.application.name, output, force);
  const { steps, evaluateEvery, earlyStopping } = options;
  resolveSettings({ ...options.training, ...(evaluateEvery && { evaluateEvery }), earlyStopping, steps });
  const loaded = await domain.load(options, signal);
  await selectBackend();
  const tasks: OpenTask<Example>[] = [];
  try {
    for (const task of loaded) tasks.push({ data: task.data, ...(await task.open()) });
    const found = await measureAll(options, tasks, signal);
    process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : describe(options, found));
  } finally {
    for (const task of tasks) await releaseBackbones(task);
  }
}

async function measureAll<Example>(
  options: ComparisonOptions,
  tasks: readonly OpenTask<Example>[],
  signal: AbortSignal,
): Promise<DryRun> {
  const [seed = 0] = options.seeds;
  const measurers = tasks.map((task, index) => {
    return new Measurer(task, { batch: options.batch, seed, task: index, tasks: tasks.length });
  });
  const methods: MethodEstimate[] = [];
  const kinds = new Set<NonNullable<MethodMeasures['features']>>();
  for (const name of options.methods) {
    const method = methodOf(name, options);
    const measures: { readonly task: TaskSize; readonly of: MethodMeasures }[] = [];
    for (const [index, measurer] of measurers.entries()) {
      signal.throwIfAborted();
      const of = await measurer.measure(method);
      if (of.features !== undefined) kinds.add(of.features);
      const { data } = nullThrows(tasks[index], 'every measurer has a task');
      measures.push({ task: { name: data.name, validation: data.validation.length }, of });
    }
    methods.push(estimateOf(name, options, measures));
  }
  let featureSeconds = 0;
  for (const kind of kinds) {
    for (const [index, measurer] of measurers.entries()) {
      const { train = [], validation = [] } = tasks[index]?.data ?? {};
      featureSeconds += (train.length + validation.length) * (await measurer.featureSeconds(kind));
    }
  }
  const runs = methods.reduce((sum, { runSeconds }) => sum + runSeconds, 0);
  return {
    backbone: nullThrows(tasks[0], 'there is a task').backbone.description,
    tasks: tasks.map(({ data, backbone }, index) => {
      const measurer = nullThrows(measurers[index], 'every task is measured');
      const batch = measurer.batch.examples.length;
      const { name, train, validation } = data;
      return {
        name,
        train: train.length,
        validation: validation.length,
        batch,
        length: measurer.length,
        logits: [batch, backbone.classes],
      };
    }),
    methods,
    featureSeconds,
    totalSeconds: featureSeconds + options.seeds.length * runs,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function describe(options: ComparisonOptions, found: DryRun): string {
  const { backbone, tasks, methods, featureSeconds, totalSeconds, peakBytes } = found;
  const { name, family, parameters, dtype, revision } = backbone;
  const lines = [
    `backbone  ${name} (${family}, ${count(parameters)} frozen parameters, ${dtype}, ${revision})`,
    ...tasks.map(
      (task) =>
        `data      ${task.name}: ${count(task.train)} to train, ${count(task.validation)} to validate; ` +
        `a pass of [${task.batch}, ${task.length}] gives logits [${task.logits.join(', ')}]`,
    ),
  ];
  const table = formatTable({
    columns: [
      { title: 'method', align: 'left' },
      { title: 'trainable parameters', align: 'right' },
      { title: 'a step, ms', align: 'right' },
      { title: 'a run', align: 'right' },
      { title: `${options.seeds.length} seeds`, align: 'right' },
    ],
    rows: methods.map(({ method, trainableParameters, stepSeconds, runSeconds }) => [
      method,
      count(trainableParameters),
      (1000 * stepSeconds).toFixed(1),
      clockTime(runSeconds),
      clockTime(options.seeds.length * runSeconds),
    ]),
  });
  const shapes = methods.map(({ method, shapes }) => {
    const all = Object.entries(shapes);
    const named = all.slice(0, mostShapes).map(([tensor, shape]) => `${tensor} [${shape.join(', ')}]`);
    const more = all.length > named.length ? [`and ${all.length - named.length} more`] : [];
    return `${method}: ${named.length === 0 ? 'nothing is trained' : [...named, ...more].join(', ')}`;
  });
  const sums = [
    `time      about ${clockTime(totalSeconds)}, of which ${clockTime(featureSeconds)} for features, which are cached`,
    `memory    ${count(Math.ceil(peakBytes / 2 ** 20))} MiB at most in these passes`,
    'Nothing was trained or written. Times are those of this machine now; long texts take longer than these.',
  ];
  return `${lines.join('\n')}\n\n${table}\n\n${shapes.join('\n')}\n\n${sums.join('\n')}\n`;
}

/** Tensors that are named; fine-tuning has hundreds. */
const mostShapes = 12;

function count(value: number): string {
  return value.toLocaleString('en-US');
}
