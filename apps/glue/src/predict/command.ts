import { type Command, InvalidArgumentError, Option } from 'commander';

import { adapterOptionsOf, type AdapterFlags, addAdapterFlags, parseCount } from '@dynaprompt/runner';

import type { TextAdapterOptions } from './open-text-adapter.js';
import type { PredictOptions } from './run-predict.js';

/** Flags of an adapter and of pairs. */
export interface TextAdapterFlags extends AdapterFlags {
  readonly maxLength?: number;
  readonly pairSeparator?: string;
  readonly batch: number;
  readonly json?: boolean;
}

/** Adds `predict` to a command line. */
export function addPredict(program: Command, predict: (options: PredictOptions) => Promise<void>): void {
  const command = program
    .command('predict')
    .description('classify texts, one a line, with a saved adapter')
    .argument('<adapter>', 'folder that run saved, such as results/sst2/adapters/dynamic-seed1')
    .argument('[file]', 'texts, one a line (default: standard input)');
  addTextAdapterFlags(command)
    .option('--json', 'one JSON object a line, with the probabilities of all classes')
    .addOption(
      new Option(
        '--on-bad-line <policy>',
        'stop at a line that cannot be answered, or answer it by an empty line',
      )
        .choices(['fail', 'skip'])
        .default('fail'),
    )
    .action(
      (
        adapter: string,
        file: string | undefined,
        flags: TextAdapterFlags & Pick<PredictOptions, 'onBadLine'>,
      ) => {
        const { pairSeparator, batch, json = false, onBadLine } = flags;
        return predict({
          ...textAdapterOptionsOf(adapter, flags),
          file,
          pairSeparator,
          batch,
          json,
          onBadLine,
        });
      },
    );
}

/** Flags that every command with an adapter has. */
export function addTextAdapterFlags(command: Command): Command {
  return addAdapterFlags(command)
    .option('--max-length <count>', 'most tokens of a text (default: as in training)', parseCount)
    .option(
      '--pair-separator <text>',
      'between the two texts of a line, for pair tasks (default: TAB)',
      parseSeparator,
    )
    .option('--batch <count>', 'most texts of one pass through the model', parseCount, 32);
}

/** Which adapter the flags ask for. */
export function textAdapterOptionsOf(folder: string, flags: TextAdapterFlags): TextAdapterOptions {
  return { ...adapterOptionsOf(folder, flags), maxLength: flags.maxLength };
}

/** Any text but none; `\t` is a TAB. */
function parseSeparator(text: string): string {
  if (text === '') throw new InvalidArgumentError('Give at least one character.');
  return text.replaceAll('\\t', '\t');
}
