import { Command, Option } from 'commander';

import { defaultLearningRates } from '@dynaprompt/training';

import { demonstration, shortDemonstration } from './demonstration.js';
import {
  type ComparisonOptions,
  comparisonOf,
  type OutputOptions,
  parseCount,
  parseList,
  parseRate,
  parseSeeds,
  type RunFlags,
} from './options.js';
import { versions } from './versions.js';

/** What the command line was asked to do. */
export interface Actions {
  list(options: { readonly json: boolean }): Promise<void> | void;
  compare(options: ComparisonOptions, output: OutputOptions): Promise<void>;
}

/** Name under which the command line speaks. */
export const programName = 'dynaprompt-glue';

/**
 * The command line. Parsing throws a `CommanderError` instead of ending the process; messages go to `writeError`.
 */
export function commandLine(actions: Actions, writeError: (text: string) => void): Command {
  const program = new Command(programName)
    .description('Compares dynamic prompts, fixed prompts and linear probes on frozen text backbones.')
    .version(versions().dynaprompt ?? 'unknown')
    .exitOverride()
    .configureOutput({
      writeErr: writeError,
      outputError: (text, write) => {
        write(oneLine(text));
      },
    });
  addList(program, actions);
  addRun(program, actions);
  addDemonstration(program, actions);
  return program;
}

function addList(program: Command, actions: Actions): void {
  program
    .command('list')
    .description('show tasks, methods and bundled backbones')
    .option('--json', 'as one JSON document')
    .action(({ json = false }: { json?: boolean }) => actions.list({ json }));
}

function addRun(program: Command, actions: Actions): void {
  const { prompt, networks, head } = defaultLearningRates;
  program
    .command('run')
    .description('train methods on a task and compare them')
    .requiredOption('--task <name>', 'task, see list')
    .option('--data <folder>', 'folder with train.tsv and dev.tsv; not for bundled tasks')
    .option('--text-column <name>', 'column of the text, for a layout of your own')
    .option('--pair-column <name>', 'column of the second text')
    .option('--label-column <name>', 'column of the class')
    .option(
      '--backbone <folder-or-id>',
      'frozen model: folder, Hugging Face id, or bundled name',
      'mini-bert',
    )
    .addOption(
      new Option('--methods <names>', 'methods with commas between them')
        .argParser(parseList)
        .default(['frozen', 'fixed', 'dynamic'], 'frozen,fixed,dynamic'),
    )
    .addOption(
      new Option('--seeds <numbers>', 'seeds with commas between them')
        .argParser(parseSeeds)
        .default([1, 2, 3], '1,2,3'),
    )
    .option('--steps <count>', 'optimiser steps of each run', parseCount, 300)
    .option('--batch <count>', 'examples of one pass', parseCount, 16)
    .option('--accumulation <count>', 'passes of one optimiser step', parseCount, 1)
    .option(
      '--evaluate-every <count>',
      'steps between evaluations (default: a fifth of the steps)',
      parseCount,
    )
    .option('--limit <count>', 'most training examples', parseCount)
    .option('--validation-limit <count>', 'most validation examples', parseCount)
    .option(
      '--learning-rate <rate>',
      `learning rate of prompt, networks and head (default: ${prompt}, ${networks} and ${head})`,
      parseRate,
    )
    .option(
      '--network-learning-rate <rate>',
      'learning rate of the networks of a dynamic prompt alone',
      parseRate,
    )
    .option('--head-learning-rate <rate>', 'learning rate of the head alone', parseRate)
    .option('--slots <count>', 'most tokens of a prompt', parseCount, 10)
    .option(
      '--max-length <count>',
      'most tokens of a text (default: what the model has room for)',
      parseCount,
    )
    .addOption(
      new Option('--head <kind>', 'how classes are read off')
        .choices(['linear', 'verbalizer'])
        .default('linear'),
    )
    .option('--output <folder>', 'where results.json and report.html go (default: results/TASK)')
    .option('--json', 'results as one JSON document on stdout, progress on stderr')
    .option('--force', 'write into a folder that holds other files')
    .action(async (flags: RunFlags & Partial<OutputOptions>) => {
      const { json = false, force = false, output = `results/${flags.task}` } = flags;
      await actions.compare(comparisonOf(flags), { json, force, output });
    });
}

function addDemonstration(program: Command, actions: Actions): void {
  program
    .command('demo')
    .description('compare methods on bundled data and a bundled backbone; needs nothing')
    .option('--short', 'a few steps only, to see that everything works')
    .option('--output <folder>', 'where results.json and report.html go (default: results/demo)')
    .option('--json', 'results as one JSON document on stdout, progress on stderr')
    .option('--force', 'write into a folder that holds other files')
    .action(async ({ short = false, ...flags }: Partial<OutputOptions> & { short?: boolean }) => {
      const { json = false, force = false, output = 'results/demo' } = flags;
      await actions.compare(short ? shortDemonstration : demonstration, { json, force, output });
    });
}

/** commander's `error: …` as one line that says who speaks and where help is. */
function oneLine(text: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  return `${programName}: ${message.replace(/\.?$/, '.')} See ${programName} --help.\n`;
}
