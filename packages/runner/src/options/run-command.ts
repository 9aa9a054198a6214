import type { Command } from 'commander';

import { addParallel, type ParallelFlags, parallelOf } from '../parallel/flags.js';
import { type ComparisonFlags, type ComparisonOptions, outputOf, type OutputOptions } from './comparison.js';
import { addConfiguration } from './configuration.js';
import { addOutput, addStops } from './flags.js';
import { printedConfiguration } from './print-configuration.js';

/** What the `run` of one application has of its own. */
export interface RunCommand<Flags, Options extends ComparisonOptions> {
  /** Puts its flags together. @throws ConfigurationError where they do not go together. */
  readonly optionsOf: (flags: Flags) => Options;
  /** What the command does. */
  readonly compare: (options: Options, output: OutputOptions) => Promise<void>;
}

/**
 * Gives a `run` that has all flags of the application what every run has besides: early ends, output, configuration files,
 * processes; and its action. Results go to `results/TASK` by default.
 */
export function completeRun<Flags extends Pick<ComparisonFlags, 'task'>, Options extends ComparisonOptions>(
  command: Command,
  { optionsOf, compare }: RunCommand<Flags, Options>,
): void {
  addParallel(addOutput(addStops(command), 'results/TASK'));
  addConfiguration(command)
    .option('--print-config', 'print the configuration with all defaults as YAML, and end')
    .option('--dry-run', 'say what would be trained, and what memory and time it takes; nothing is written')
    .action(
      async (flags: Flags & ParallelFlags & Partial<OutputOptions> & { readonly printConfig?: boolean }) => {
        const options = optionsOf(flags);
        const output = { ...outputOf(flags, `results/${flags.task.join('+')}`), ...parallelOf(flags) };
        if (flags.printConfig === true) {
          process.stdout.write(printedConfiguration(command, options, output.output));
        } else await compare(options, output);
      },
    );
}
