import { InvalidArgumentError } from 'commander';

import type { BadRowPolicy, ColumnNames, EvaluationSplit } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import {
  type LearningRates,
  optimiserDefaults,
  type OptimiserKind,
  type TaskSampling,
  type TrainingSettings,
  type TrainingSettingsInput,
  type WarmUp,
} from '@dynaprompt/training';

import { packageName } from './package-name.js';

/** How classes are read off the frozen model: a trainable linear layer, or its own words at a mask. */
export type HeadKind = 'linear' | 'verbalizer';

/** How parameters are changed; what is absent has the default of the optimiser. */
export type OptimiserFlags = Pick<
  TrainingSettingsInput,
  'optimiser' | 'schedule' | 'weightDecay' | 'clipNorm' | 'clipScope'
> & { readonly learningRates: LearningRates };

/** What to compare, on what. */
export interface ComparisonOptions {
  /** Trained together where there are several: one prompt, a head for each. */
  readonly tasks: readonly string[];
  /** A folder for each task whose data is not bundled, in the order of the tasks. */
  readonly data: readonly string[];
  readonly columns: ColumnNames | undefined;
  /** Folder, hub id, or name of a bundled model. */
  readonly backbone: string;
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly steps: number;
  readonly batch: number;
  readonly accumulation: number;
  readonly evaluateEvery: number | undefined;
  /** Most training examples. */
  readonly limit: number | undefined;
  readonly validationLimit: number | undefined;
  /** Training examples of each class, with as many others to validate on. */
  readonly shots: number | undefined;
  /** Split that scores are taken on. */
  readonly evaluation: EvaluationSplit;
  /** Whether bad rows of data files stop the run, or are left out and counted. */
  readonly badRows: BadRowPolicy;
  readonly training: OptimiserFlags;
  /** Which task a step belongs to, where there are several. */
  readonly sampling: TaskSampling;
  readonly slots: number;
  /** Most tokens of a text, its prompt not counted. */
  readonly maxLength: number | undefined;
  readonly head: HeadKind;
  /** Arithmetic of the backbone's large products. */
  readonly compute: 'float32' | 'int8';
}

/** Where the outcome goes. */
export interface OutputOptions {
  readonly output: string;
  /** Results as one JSON document on stdout. */
  readonly json: boolean;
  /** Write into a folder that holds other files. */
  readonly force: boolean;
}

/** Values of the command line's own options, as commander hands them over. */
export interface RunFlags extends Omit<
  ComparisonOptions,
  'tasks' | 'columns' | 'training' | 'data' | 'sampling'
> {
  readonly task: readonly string[];
  readonly data?: string;
  readonly taskSampling: TaskSampling;
  readonly textColumn?: string;
  readonly pairColumn?: string;
  readonly labelColumn?: string;
  readonly optimizer: OptimiserKind;
  readonly schedule: TrainingSettings['schedule']['kind'];
  readonly warmUp: WarmUp;
  readonly weightDecay?: number;
  readonly clipNorm?: number | false;
  readonly clipScope?: TrainingSettings['clipScope'];
  readonly learningRate?: number;
  readonly networkLearningRate?: number;
  readonly headLearningRate?: number;
  readonly weightsLearningRate?: number;
}

/** Puts the flags of `run` together. @throws ConfigurationError where they do not go together. */
export function comparisonOf(flags: RunFlags): ComparisonOptions {
  return {
    tasks: flags.task,
    data: foldersOf(flags),
    columns: columnsOf(flags),
    backbone: flags.backbone,
    methods: flags.methods,
    seeds: flags.seeds,
    steps: flags.steps,
    batch: flags.batch,
    accumulation: flags.accumulation,
    evaluateEvery: flags.evaluateEvery,
    limit: flags.limit,
    validationLimit: flags.validationLimit,
    shots: flags.shots,
    evaluation: flags.evaluation,
    badRows: flags.badRows,
    training: optimiserFlagsOf(flags),
    sampling: flags.taskSampling,
    slots: flags.slots,
    maxLength: flags.maxLength,
    head: flags.head,
    compute: flags.compute,
  };
}

/** One folder may have commas in its name; several are separated by them. */
function foldersOf({ task, data }: RunFlags): readonly string[] {
  if (data === undefined) return [];
  return task.length === 1 ? [data] : data.split(',').map((folder) => folder.trim());
}

function optimiserFlagsOf(flags: RunFlags): OptimiserFlags {
  const { optimizer, schedule, warmUp, weightDecay, clipNorm, clipScope, learningRate } = flags;
  const defaults = optimiserDefaults[optimizer].learningRates;
  return {
    optimiser: { kind: optimizer },
    schedule: { kind: schedule, warmUp },
    learningRates: {
      prompt: learningRate ?? defaults.prompt,
      networks: flags.networkLearningRate ?? learningRate ?? defaults.networks,
      head: flags.headLearningRate ?? learningRate ?? defaults.head,
      weights: flags.weightsLearningRate ?? defaults.weights,
    },
    ...(weightDecay === undefined ? {} : { weightDecay }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(clipScope === undefined ? {} : { clipScope }),
  };
}

function columnsOf({ textColumn, pairColumn, labelColumn }: RunFlags): ColumnNames | undefined {
  if (textColumn === undefined && labelColumn === undefined && pairColumn === undefined) return undefined;
  if (textColumn === undefined || labelColumn === undefined) {
    throw new ConfigurationError({
      packageName,
      subject: textColumn === undefined ? '--text-column' : '--label-column',
      problem: 'it is missing where other columns are named',
      remedy: 'Name both --text-column and --label-column, and --pair-column for pairs of texts',
    });
  }
  return { text: textColumn, label: labelColumn, ...(pairColumn === undefined ? {} : { pair: pairColumn }) };
}

/** A whole number of 1 or more. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a whole number of 1 or more.');
}

/** A whole number of 0 or more. */
export function parseIndex(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Give a whole number of 0 or more.');
}

/** A number above 0. */
export function parseRate(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number above 0, such as 0.01.');
}

/** A number of 0 or more. */
export function parseDecay(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('Give a number of 0 or more, such as 0.01.');
}

/** A share of the steps below 1, or a whole number of steps. */
export function parseWarmUp(text: string): WarmUp {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value < 1) return value;
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return { steps: value };
  throw new InvalidArgumentError('Give a share of the steps below 1, such as 0.05, or a number of steps.');
}

/** A number above 0, or `none`. */
export function parseClipNorm(text: string): number | false {
  return text === 'none' ? false : parseRate(text);
}

/** `proportional`, `equal`, or a temperature. */
export function parseSampling(text: string): TaskSampling {
  if (text === 'proportional' || text === 'equal') return { kind: text };
  const temperature = Number(text);
  if (text.trim() !== '' && Number.isFinite(temperature) && temperature > 0) {
    return { kind: 'temperature', temperature };
  }
  throw new InvalidArgumentError('Give proportional, equal, or a temperature above 0, such as 2.');
}

/** Whole numbers with commas between them, none twice. */
export function parseSeeds(text: string): readonly number[] {
  return parseList(text).map((item) => {
    const value = Number(item);
    if (/^\d+$/.test(item) && Number.isSafeInteger(value)) return value;
    throw new InvalidArgumentError(`"${item}" is not a whole number of 0 or more; give seeds such as 1,2,3.`);
  });
}

/** Names with commas between them, none twice. */
export function parseList(text: string): readonly string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw new InvalidArgumentError('Separate names by single commas.');
  const twice = items.find((item, index) => items.indexOf(item) < index);
  if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" is named twice.`);
  return items;
}
