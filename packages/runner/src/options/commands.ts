import { Command, Option } from 'commander';

import { type PeftExportOptions, peftTaskTypes } from '@dynaprompt/training';

import type { Application } from '../application.js';
import { type ComparisonOptions, outputOf, type OutputOptions } from './comparison.js';
import { addOutput } from './flags.js';
import { parseIndex } from './values.js';

/**
 * A command line without commands. Parsing throws a `CommanderError` instead of ending the process; messages go to `writeError`,
 * one line each.
 */
export function createProgram(
  { program, versions }: Pick<Application, 'program' | 'versions'>,
  description: string,
  writeError: (text: string) => void,
): Command {
  return new Command(program)
    .description(description)
    .version(versions.dynaprompt ?? 'unknown')
    .exitOverride()
    .configureOutput({
      writeErr: writeError,
      outputError: (text, write) => {
        write(oneLine(program, text));
      },
    });
}

/** Adds `list`. */
export function addList(
  program: Command,
  description: string,
  list: (options: { readonly json: boolean }) => Promise<void> | void,
): void {
  program
    .command('list')
    .description(description)
    .option('--json', 'as one JSON document')
    .action(({ json = false }: { json?: boolean }) => list({ json }));
}

/** What `demo` compares, in two lengths. */
export interface Demonstration<Options extends ComparisonOptions> {
  readonly full: Options;
  readonly short: Options;
  /** Where results go by default; `results/demo` where it is left out. */
  readonly folder?: string;
}

/** Adds `demo`. */
export function addDemonstration<Options extends ComparisonOptions>(
  program: Command,
  { full, short: few, folder = 'results/demo' }: Demonstration<Options>,
  compare: (options: Options, output: OutputOptions) => Promise<void>,
): void {
  const command = program
    .command('demo')
    .description('compare methods on bundled data and a bundled backbone; needs nothing')
    .option('--short', 'a few steps only, to see that everything works');
  addOutput(command, folder).action(
    async ({ short = false, ...flags }: Partial<OutputOptions> & { short?: boolean }) => {
      await compare(short ? few : full, outputOf(flags, folder));
    },
  );
}

/** Adds `export-peft`. */
export function addExportPeft(
  program: Command,
  exportPeft: (adapter: string, folder: string, options: PeftExportOptions) => Promise<void>,
): void {
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
      exportPeft(adapter, folder, options),
    );
}

/** commander's `error: …` as one line that says who speaks and where help is. */
function oneLine(program: string, text: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  return `${program}: ${message.replace(/\.?$/, '.')} See ${program} --help.\n`;
}
