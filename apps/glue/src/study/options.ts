import { readFile } from 'node:fs/promises';

import { type Command, InvalidArgumentError } from 'commander';

import { taskNamed } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import { methodNamed } from '@dynaprompt/training';

import { type HeadKind, parseList, parseRate } from '../options.js';
import { packageName } from '../package-name.js';
import { configurationOf, type RateGrid, type RatePair, requireEqualTuning } from './rates.js';

/** What a study trains. Plain JSON. */
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
  readonly maxLength: number | null;
  /** Most training examples. */
  readonly limit: number | null;
  readonly validationLimit: number | null;
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

/** Values of the options of `study`, as commander hands them over. */
export interface StudyFlags {
  readonly tasks?: readonly string[];
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly tuningSeeds: readonly number[];
  readonly backbone: string;
  readonly head: HeadKind;
  readonly steps: number;
  readonly batch: number;
  readonly slots: number;
  readonly maxLength?: number;
  readonly limit?: number;
  readonly validationLimit?: number;
  readonly holdout: number;
  readonly evaluateEvery?: number;
  readonly promptRates: readonly number[];
  readonly networkRates: readonly RatePair[];
  readonly headRates: readonly number[];
  readonly weightsRates: readonly number[];
  readonly lengthPenalty?: readonly number[];
  readonly lengthMethod: string;
  readonly folders: Readonly<Record<string, string>>;
  readonly dataRoot: string;
  readonly output: string;
  readonly journal?: string;
  readonly workers: number;
  readonly retryFailed?: boolean;
}

/** Puts the flags of `study` together. @throws ConfigurationError where they name what is not there or are not fair. */
export function studyOf(flags: StudyFlags): { readonly options: StudyOptions; readonly places: StudyPlaces } {
  const { tasks = [], methods, steps, output } = flags;
  if (tasks.length === 0) throw unusable('--tasks', 'no task is named', 'Name tasks, see list');
  for (const task of [...tasks, ...Object.keys(flags.folders)]) taskNamed(task);
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
    slots: flags.slots,
    maxLength: flags.maxLength ?? null,
    limit: flags.limit ?? null,
    validationLimit: flags.validationLimit ?? null,
    holdout: flags.holdout,
    evaluateEvery: flags.evaluateEvery ?? Math.max(1, Math.ceil(steps / 5)),
    rates,
    penalties: penaltiesOf(flags),
    folders: flags.folders,
  };
  const { dataRoot, workers, journal = output.replace(/md$/, 'jsonl'), retryFailed = false } = flags;
  return { options, places: { dataRoot, output, journal, workers, retryFailed } };
}

function penaltiesOf({ lengthPenalty, lengthMethod, slots }: StudyFlags): StudyOptions['penalties'] {
  if (lengthPenalty === undefined) return null;
  const { configuration } = configurationOf(lengthMethod, slots);
  if (configuration === null || configuration.length.level === 'none') {
    throw unusable(
      `--length-method ${lengthMethod}`,
      'its length is not learned',
      'Name adap_ins_length or dynamic',
    );
  }
  return { method: lengthMethod, values: lengthPenalty };
}

/**
 * Takes options from a JSON file whose keys are their long names; what stands on the command line goes before.
 *
 * @throws ConfigurationError naming the file and the option that it does not know or cannot use.
 */
export async function readConfiguration(command: Command, path: string): Promise<void> {
  let values: unknown;
  try {
    values = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const problem = `it cannot be read as JSON (${(cause as Error).message})`;
    throw unusable(path, problem, 'Name a JSON file with an object of options, such as {"steps": 200}');
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw unusable(path, 'it holds no object', 'Write an object of options, such as {"steps": 200}');
  }
  const known = command.options.filter(({ required, long }) => required && long !== '--config');
  for (const [name, value] of Object.entries(values)) {
    const option = known.find(({ long }) => long === `--${name}`);
    if (option === undefined) {
      const names = known.map(({ long }) => (long ?? '').slice(2)).join(', ');
      throw unusable(`${path}, ${name}`, 'there is no option of that name', `Use ${names}`);
    }
    const attribute = option.attributeName();
    if (command.getOptionValueSource(attribute) === 'cli') continue;
    try {
      const text = textOf(value);
      const parse = option.parseArg as ((text: string, previous: unknown) => unknown) | undefined;
      const parsed = parse === undefined ? text : parse(text, undefined);
      command.setOptionValueWithSource(attribute, parsed, 'config');
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw unusable(
        `${path}, ${name}`,
        `${JSON.stringify(value)} cannot be used`,
        error.message.replace(/\.$/, ''),
      );
    }
  }
}

/** A JSON value as one would write it behind the option's name. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, part]) => `${name}=${String(part)}`)
      .join(',');
  }
  return String(value);
}

/** Rates with commas between them. */
export function parseRates(text: string): readonly number[] {
  return parseList(text).map(parseRate);
}

/** Pairs `PROMPT:RATIO` with commas between them. */
export function parseRatePairs(text: string): readonly RatePair[] {
  return parseList(text).map((item) => {
    const [prompt = '', ratio = '', ...more] = item.split(':');
    if (more.length > 0) throw new InvalidArgumentError('Give pairs PROMPT:RATIO, such as 0.005:0.1.');
    return { prompt: parseRate(prompt), ratio: parseRate(ratio) };
  });
}

/** Numbers of 0 or more with commas between them. */
export function parsePenalties(text: string): readonly number[] {
  return parseList(text).map((item) => {
    const value = Number(item);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new InvalidArgumentError('Give penalties of 0 or more, such as 0,0.001,0.01.');
  });
}

/** A share below 1, or a whole number. */
export function parseHoldout(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && (value < 1 || Number.isSafeInteger(value))) return value;
  throw new InvalidArgumentError('Give a share below 1, such as 0.2, or a number of examples.');
}

/** `TASK=FOLDER` with commas between them. */
export function parseFolders(text: string): Readonly<Record<string, string>> {
  const pairs = parseList(text).map((item): readonly [string, string] => {
    const [, task, folder] = /^([^=]+)=(.+)$/.exec(item) ?? [];
    if (task !== undefined && folder !== undefined) return [task, folder];
    throw new InvalidArgumentError('Give TASK=FOLDER, such as sst2=SST-2.');
  });
  return Object.fromEntries(pairs);
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
