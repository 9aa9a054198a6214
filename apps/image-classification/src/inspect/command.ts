import type { Command } from 'commander';

import { adapterOptionsOf } from '@dynaprompt/runner';

import { addPictureFlags, type PictureFlags } from '../predict/command.js';
import type { InspectOptions } from './run-inspect.js';

/** Adds `inspect` to a command line. */
export function addInspect(program: Command, inspect: (options: InspectOptions) => Promise<void>): void {
  const command = program
    .command('inspect')
    .description('show where the prompt of a saved adapter stands among the patches, and what it is made of')
    .argument('<adapter>', 'folder that run saved, such as results/openmoji/adapters/dynamic-seed1')
    .argument('[pictures...]', 'files (default: paths, one a line, from standard input)');
  addPictureFlags(command).action((adapter: string, pictures: readonly string[], flags: PictureFlags) => {
    const { batch, json = false } = flags;
    return inspect({ ...adapterOptionsOf(adapter, flags), pictures, batch, json });
  });
}
