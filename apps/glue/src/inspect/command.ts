import type { Command } from 'commander';

import { addTextAdapterFlags, type TextAdapterFlags, textAdapterOptionsOf } from '../predict/command.js';
import type { InspectOptions } from './run-inspect.js';

/** Adds `inspect` to a command line. */
export function addInspect(program: Command, inspect: (options: InspectOptions) => Promise<void>): void {
  const command = program
    .command('inspect')
    .description('show where the prompt of a saved adapter stands in texts, and what it is made of')
    .argument('<adapter>', 'folder that run saved, such as results/sst2/adapters/dynamic-seed1')
    .argument('[texts...]', 'texts, each in quotes');
  addTextAdapterFlags(command)
    .option('--file <file>', 'texts, one a line, instead; - is standard input')
    .option('--json', 'one JSON object a line')
    .action(
      (adapter: string, texts: readonly string[], flags: TextAdapterFlags & { readonly file?: string }) => {
        const { pairSeparator, batch, json = false, file } = flags;
        return inspect({ ...textAdapterOptionsOf(adapter, flags), texts, file, pairSeparator, batch, json });
      },
    );
}
