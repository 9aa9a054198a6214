import { Command, Option } from 'commander';

import {
  optimiserDefaults,
  optimiserKinds,
  type PeftExportOptions,
  peftTaskTypes,
} from '@dynaprompt/training';

import { demonstration, shortDemonstration } from './demonstration.js';
import { addInspect } from './inspect/command.js';
import type { InspectOptions } from './inspect/run-inspect.js';
import {
  type ComparisonOptions,
  comparisonOf,
  type OutputOptions,
  parseClipNorm,
  parseCount,
  parseDecay,
  parseIndex,
  parseList,
  parseRate,
  parseSampling,
  parseSeeds,
  parseWarmUp,
  type RunFlags,
} from './options.js';
import { addPredict } from './predict/command.js';
import type { PredictOptions } from './predict/run-predict.js';
import { addStudy } from './study/command.js';
import type { StudyOptions, StudyPlaces } from './study/options.js';
import { versions } from './versions.js';

/** What the command line was asked to do. */
export interface Actions {
  list(options: { readonly json: boolean }): Promise<void> | void;
  compare(options: ComparisonOptions, output: OutputOptions): Promise<void>;
  study(options: StudyOptions, places: StudyPlaces): Promise<void>;
  predict(options: PredictOptions): Promise<void>;
  inspect(options: InspectOptions): Promise<void>;
  exportPeft(adapter: string, folder: string, options: PeftExportOptions): Promise<void>;
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
  addStudy(program, (options, places) => actions.study(options, places));
  addDemonstration(program, actions);
  addPredict(program, (options) => actions.predict(options));
  addInspect(program, (options) => actions.inspect(options));
  addExport(program, actions);
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
  const command = program
    .command('run')
    .description('train methods on a task and compare them')
    .requiredOption(
      '--task <names>',
      'task, see list; several with commas between share one prompt',
      parseList,
    )
    .option(
      '--data <folders>',
      'folder with train.tsv and dev.tsv, for each task in order; not for bundled tasks',
    )
    .addOption(
      new Option(
        '--task-sampling <way>',
        'which of several tasks a step is: proportional, equal, temperature',
      )
        .argParser(parseSampling)
        .default({ kind: 'proportional' }, 'proportional'),
    )
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
    .option('--shots <count>', 'few-shot: so many examples of each class, 1 to 32', parseCount)
    .addOption(
      new Option('--evaluation <split>', 'split that scores are taken on')
        .choices(['validation', 'test'])
        .default('validation'),
    )
    .addOption(
      new Option('--bad-rows <policy>', 'stop at bad rows of the data, or leave them out and count them')
        .choices(['fail', 'skip'])
        .default('fail'),
    )
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
    .addOption(
      new Option(
        '--compute <arithmetic>',
        "of the backbone's large products: int8 is faster, its gradient nearly exact",
      )
        .choices(['float32', 'int8'])
        .default('float32'),
    )
    .option('--output <folder>', 'where results.json and report.html go (default: results/TASK)')
    .option('--json', 'results as one JSON document on stdout, progress on stderr')
    .option('--force', 'write into a folder that holds other files');
  addOptimiser(command).action(async (flags: RunFlags & Partial<OutputOptions>) => {
    const { json = false, force = false, output = `results/${flags.task.join('+')}` } = flags;
    await actions.compare(comparisonOf(flags), { json, force, output });
  });
}

function addOptimiser(command: Command): Command {
  const { prompt, networks, head, weights } = optimiserDefaults.adamw.learningRates;
  return command
    .addOption(
      new Option('--optimizer <name>', 'how gradients change parameters')
        .choices(optimiserKinds)
        .default('adamw'),
    )
    .option(
      '--learning-rate <rate>',
      `learning rate of prompt, networks and head (default for adamw: ${prompt}, ${networks} and ${head})`,
      parseRate,
    )
    .option(
      '--network-learning-rate <rate>',
      'learning rate of the networks of a dynamic prompt alone',
      parseRate,
    )
    .option('--head-learning-rate <rate>', 'learning rate of the head alone', parseRate)
    .option(
      '--weights-learning-rate <rate>',
      `learning rate of the model's weights in fine-tuning (default for adamw: ${weights})`,
      parseRate,
    )
    .addOption(
      new Option('--schedule <name>', 'course of the learning rates')
        .choices(['constant', 'linear', 'cosine'])
        .default('linear'),
    )
    .option(
      '--warm-up <share-or-steps>',
      'steps that climb to the full rates: a share below 1, or a number',
      parseWarmUp,
      0.05,
    )
    .option('--weight-decay <rate>', 'weight decay (default: 0.01 for adamw, 0 otherwise)', parseDecay)
    .option('--clip-norm <norm>', 'largest norm of a gradient, or none (default: 1)', parseClipNorm)
    .addOption(
      new Option(
        '--clip-scope <scope>',
        "whose norm: each tensor's own, or all together (default: tensor)",
      ).choices(['tensor', 'all']),
    );
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

function addExport(program: Command, actions: Actions): void {
  program
    .command('export-peft')
    .description('write the static prompt of a saved adapter as a PEFT prompt-tuning adapter')
    .argument('<adapter>', 'folder with dynamic_prompt.json and dynamic_prompt.safetensors')
    .argument('<folder>', 'new or empty folder')
    .option('--entry <index>', 'entry of the pool, for a prompt that is mixed from one', parseIndex)
    .option('--base', 'leave out the update, for a prompt that is generated')
    .addOption(
      new Option('--task-type <type>', 'task type of PEFT (default: SEQ_CLS for a linear head)').choices(
        peftTaskTypes,
      ),
    )
    .option('--base-model <name>', 'hub id or folder of the PyTorch model (default: that of the backbone)')
    .action((adapter: string, folder: string, options: PeftExportOptions) =>
      actions.exportPeft(adapter, folder, options),
    );
}

/** commander's `error: …` as one line that says who speaks and where help is. */
function oneLine(text: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  return `${programName}: ${message.replace(/\.?$/, '.')} See ${programName} --help.\n`;
}
