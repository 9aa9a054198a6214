import { ConfigurationError, type PromptConfigurationInput } from '@dynaprompt/core';
import { methodNamed } from '@dynaprompt/training';

import { defaultSlots, type HeadKind } from '../options/comparison.js';
import { packageName } from '../package-name.js';
import {
  configurationOf,
  type RateGrid,
  type RatePair,
  type RateSetting,
  requireEqualTuning,
} from './rates.js';

/** What a study trains; applications add what only they know. Plain JSON. */
export interface StudyOptions {
  readonly tasks: readonly string[];
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly tuningSeeds: readonly number[];
  /** Folder, hub id, or name of a bundled model. */
  readonly backbone: string;
  readonly head: HeadKind;
  readonly steps: number;
  readonly batch: number;
  readonly slots: number;
  /** What the prompts of all methods go on top of; default: nothing. */
  readonly basePrompt?: PromptConfigurationInput | undefined;
  /** Most training examples. */
  readonly limit: number | null;
  readonly validationLimit: number | null;
  /** Draws the examples that are kept. */
  readonly dataSeed: number;
  /** What of the training examples rates are chosen on: a share below 1, or a number of examples. */
  readonly holdout: number;
  /** Steps between evaluations on the validation examples. */
  readonly evaluateEvery: number;
  readonly rates: RateGrid;
  /** A method that learns its length, with each of these penalties. */
  readonly penalties: { readonly method: string; readonly values: readonly number[] } | null;
  /** Folder of each task below the root of the data, where it is not called like the task. */
  readonly folders: Readonly<Record<string, string>>;
}

/** Where a study reads and writes, and how fast; changes no result. */
export interface StudyPlaces {
  /** Folder that the folders of the tasks lie in. */
  readonly dataRoot: string;
  /** Markdown file; the JSON file lies beside it. */
  readonly output: string;
  readonly journal: string;
  readonly workers: number;
  /** Runs that failed earlier are tried again. */
  readonly retryFailed: boolean;
}

/** Values of the options of `study` that every application has, as commander hands them over. */
export interface StudyFlags {
  readonly tasks?: readonly string[];
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly tuningSeeds: readonly number[];
  readonly backbone: string;
  readonly head: HeadKind;
  readonly steps: number;
  readonly batch: number;
  readonly slots?: number;
  readonly limit?: number;
  readonly validationLimit?: number;
  readonly dataSeed: number;
  readonly holdout: number;
  readonly evaluateEvery?: number;
  readonly promptRates: readonly RateSetting[];
  readonly networkRates: readonly RatePair[];
  readonly headRates: readonly number[];
  readonly weightsRates: readonly RateSetting[];
  readonly lengthPenalty?: readonly number[];
  readonly lengthMethod: string;
  readonly folders: Readonly<Record<string, string>>;
  readonly dataRoot: string;
  readonly output: string;
  readonly journal?: string;
  readonly workers: number;
  readonly retryFailed?: boolean;
}

/**
 * Puts the flags of `study` together.
 *
 * @param basePrompt what the prompts of all methods go on top of.
 * @throws ConfigurationError where they name what is not there or are not fair.
 */
export function studyOf(
  flags: StudyFlags,
  requireTask: (name: string) => void,
  basePrompt?: PromptConfigurationInput,
): { readonly options: StudyOptions; readonly places: StudyPlaces } {
  const { tasks = [], methods, steps, output } = flags;
  const slots = flags.slots ?? basePrompt?.slots ?? defaultSlots;
  if (tasks.length === 0) throw unusable('--tasks', 'no task is named', 'Name tasks, see list');
  for (const task of [...tasks, ...Object.keys(flags.folders)]) requireTask(task);
  for (const method of methods) methodNamed(method);
  if (!output.endsWith('.md'))
    throw unusable(`--output ${output}`, 'it is no Markdown file', 'Name one, ….md');
  const rates: RateGrid = {
    prompt: flags.promptRates,
    networks: flags.networkRates,
    head: flags.headRates,
    weights: flags.weightsRates,
  };
  requireEqualTuning(rates);
  const options: StudyOptions = {
    tasks,
    methods,
    seeds: flags.seeds,
    tuningSeeds: flags.tuningSeeds,
    backbone: flags.backbone,
    head: flags.head,
    steps,
    batch: flags.batch,
    slots,
    ...(basePrompt && { basePrompt }),
    limit: flags.limit ?? null,
    validationLimit: flags.validationLimit ?? null,
    dataSeed: flags.dataSeed,
    holdout: flags.holdout,
    evaluateEvery: flags.evaluateEvery ?? Math.max(1, Math.ceil(steps / 5)),
    rates,
    penalties: penaltiesOf(flags, slots, basePrompt),
    folders: flags.folders,
  };
  const { dataRoot, workers, journal = output.replace(/md$/, 'jsonl'), retryFailed = false } = flags;
  return { options, places: { dataRoot, output, journal, workers, retryFailed } };
}

function penaltiesOf(
  { lengthPenalty, lengthMethod }: StudyFlags,
  slots: number,
  basePrompt: PromptConfigurationInput | undefined,
): StudyOptions['penalties'] {
  if (lengthPenalty === undefined) return null;
  const { configuration } = configurationOf(lengthMethod, slots, undefined, basePrompt);
  if (configuration === null || configuration.length.level === 'none') {
    throw unusable(
      `--length-method ${lengthMethod}`,
      'its length is not learned',
      'Name adap_ins_length or dynamic',
    );
  }
  return { method: lengthMethod, values: lengthPenalty };
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
