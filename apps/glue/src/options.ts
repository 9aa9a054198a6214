import { InvalidArgumentError } from 'commander';

import type { ColumnNames } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import { defaultLearningRates, type LearningRates } from '@dynaprompt/training';

import { packageName } from './package-name.js';

/** How classes are read off the frozen model: a trainable linear layer, or its own words at a mask. */
export type HeadKind = 'linear' | 'verbalizer';

/** What to compare, on what. */
export interface ComparisonOptions {
  readonly task: string;
  /** Folder with the task's files; absent for bundled data. */
  readonly data: string | undefined;
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
  readonly learningRates: LearningRates;
  readonly slots: number;
  /** Most tokens of a text, its prompt not counted. */
  readonly maxLength: number | undefined;
  readonly head: HeadKind;
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
export interface RunFlags extends Omit<ComparisonOptions, 'columns' | 'learningRates' | 'data'> {
  readonly data?: string;
  readonly textColumn?: string;
  readonly pairColumn?: string;
  readonly labelColumn?: string;
  readonly learningRate?: number;
  readonly networkLearningRate?: number;
  readonly headLearningRate?: number;
}

/** Puts the flags of `run` together. @throws ConfigurationError where they do not go together. */
export function comparisonOf(flags: RunFlags): ComparisonOptions {
  return {
    task: flags.task,
    data: flags.data,
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
    learningRates: {
      prompt: flags.learningRate ?? defaultLearningRates.prompt,
      networks: flags.networkLearningRate ?? flags.learningRate ?? defaultLearningRates.networks,
      head: flags.headLearningRate ?? flags.learningRate ?? defaultLearningRates.head,
    },
    slots: flags.slots,
    maxLength: flags.maxLength,
    head: flags.head,
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

/** A number above 0. */
export function parseRate(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number above 0, such as 0.01.');
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
