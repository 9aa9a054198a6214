import { type Command, Option } from 'commander';

import type { PromptConfigurationInput } from '@dynaprompt/core';

import { defaultSlots, type HeadKind } from '../options/comparison.js';
import { addBackbone, addDataSeed } from '../options/flags.js';
import { parseCount, parseList, parseSeeds } from '../options/values.js';
import { readConfiguration } from './configuration-file.js';
import { type StudyFlags, studyOf, type StudyOptions, type StudyPlaces } from './options.js';
import { defaultGrid } from './rates.js';
import {
  parseFolders,
  parseHoldout,
  parsePenalties,
  parseRatePairs,
  parseRates,
  parseRateSettings,
} from './values.js';

const methods = ['linear-probe', 'fixed', 'fixed_back', 'p_tuning', 'deep', 'adap_pos', 'adap_ins_pos'];
const moreMethods = ['adap_ins_length', 'adap_ins_vec', 'adap_ins_vec_ins_pos', 'dynamic', 'fine-tuning'];

/** What the `study` of one application has of its own. */
export interface StudyCommand<Options extends StudyOptions> {
  /** Frozen model by default. */
  readonly backbone: string;
  readonly heads: readonly HeadKind[];
  /** Page by default. */
  readonly output: string;
  /** @throws ConfigurationError for a name that is no task. */
  readonly requireTask: (name: string) => void;
  /** Adds options that only this application has. */
  addOwn(command: Command): void;
  /** What the prompts of all methods go on top of; absent or undefined: nothing. `flags` as below. */
  basePrompt?(
    what: Pick<StudyOptions, 'backbone' | 'head'>,
    flags: Readonly<Record<string, unknown>>,
  ): PromptConfigurationInput | undefined;
  /** What `--slots` is where it is not given, in words. */
  readonly slotsFallback?: string;
  /** Reads them; `flags` are the values of all options by their attribute names. */
  complete(options: StudyOptions, flags: Readonly<Record<string, unknown>>): Options;
}

/** Adds `study` to the command line. */
export function addStudy<Options extends StudyOptions>(
  program: Command,
  own: StudyCommand<Options>,
  study: (options: Options, places: StudyPlaces) => Promise<void>,
): void {
  const command = program
    .command('study')
    .description(
      'tune the learning rates of methods equally, compare them over seeds, and write a page of tables',
    )
    .option('--config <file>', 'JSON file with these options by their long names; flags go before it');
  addWhat(command, own);
  addRates(command);
  command
    .option('--data-root <folder>', 'folder in which the folders of the tasks lie', '.')
    .option(
      '--folders <pairs>',
      'TASK=FOLDER below it, where it is not called like the task',
      parseFolders,
      {},
    )
    .option('--workers <count>', 'processes, each with one thread', parseCount, 2)
    .option('--output <file>', 'Markdown file; a JSON file goes beside it', own.output)
    .option('--journal <file>', 'what is done so far (default: beside the output, .jsonl)')
    .option('--retry-failed', 'try runs again that failed earlier')
    .action(async ({ config }: { config?: string }) => {
      if (config !== undefined) await readConfiguration(command, config);
      const flags = command.opts<StudyFlags>();
      const base = own.basePrompt?.(flags, command.opts());
      const { options, places } = studyOf(flags, own.requireTask, base);
      await study(own.complete(options, command.opts()), places);
    });
}

function addWhat<Options extends StudyOptions>(command: Command, own: StudyCommand<Options>): void {
  command
    .option('--tasks <names>', 'tasks with commas between them, see list', parseList)
    .option('--methods <names>', 'methods with commas between them', parseList, [...methods, ...moreMethods])
    .option('--seeds <numbers>', 'seeds of the runs that are compared', parseSeeds, [1, 2, 3, 4, 5])
    .option('--tuning-seeds <numbers>', 'seeds of the runs that choose learning rates', parseSeeds, [101]);
  addBackbone(command, own.backbone)
    .addOption(new Option('--head <kind>', 'how classes are read off').choices(own.heads).default('linear'))
    .option('--steps <count>', 'optimiser steps of each run', parseCount, 200)
    .option('--batch <count>', 'examples of a step', parseCount, 16)
    .option(
      '--slots <count>',
      `most tokens of a prompt (default: ${own.slotsFallback ?? defaultSlots})`,
      parseCount,
    );
  own.addOwn(command);
  command
    .option('--limit <count>', 'most training examples', parseCount)
    .option('--validation-limit <count>', 'most validation examples', parseCount);
  addDataSeed(command)
    .option('--evaluate-every <count>', 'steps between evaluations (default: a fifth)', parseCount)
    .option(
      '--holdout <share-or-count>',
      'training examples that tuning is scored on: a share below 1, or a number',
      parseHoldout,
      0.2,
    )
    .option('--length-penalty <values>', 'penalties μ of a length to compare besides', parsePenalties)
    .option('--length-method <name>', 'whose length that is', 'adap_ins_length');
}

/** One list of settings for each kind of method, all of the same length. */
function addRates(command: Command): void {
  const { prompt, networks, head, weights } = defaultGrid;
  command
    .option(
      '--prompt-rates <rates>',
      'RATE or RATE:HEAD to try for prompts without networks',
      parseRateSettings,
      prompt,
    )
    .option(
      '--network-rates <pairs>',
      'PROMPT:RATIO or PROMPT:RATIO:HEAD to try for prompts with networks',
      parseRatePairs,
      networks,
    )
    .option('--head-rates <rates>', 'to try for heads alone', parseRates, head)
    .option(
      '--weights-rates <rates>',
      'RATE or RATE:HEAD to try for fine-tuning',
      parseRateSettings,
      weights,
    );
}
