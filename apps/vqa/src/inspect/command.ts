import type { Command } from 'commander';

import { addQuestionFlags, askedOf, type QuestionFlags } from '../predict/command.js';
import type { InspectOptions } from './run-inspect.js';

/** Adds `inspect` to a command line. */
export function addInspect(program: Command, inspect: (options: InspectOptions) => Promise<void>): void {
  const command = program
    .command('inspect')
    .description(
      'show where the prompt of a saved adapter stands in question and picture, and what it is made of',
    );
  addQuestionFlags(command).action((adapter: string, file: string | undefined, flags: QuestionFlags) =>
    inspect(askedOf(adapter, file, flags)),
  );
}
