import { CommanderError, type Command } from 'commander';

import { exitCodeOf, messageOf, wantsStack } from './failure.js';
import { Interruption } from './interruption.js';

/** What the actions of a command line are given. */
export interface ProgramTools {
  /** Raised by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Runs a filter: Ctrl-C ends it at once, as it does elsewhere, for there is nothing to finish. */
  readonly asFilter: (run: () => Promise<void>) => Promise<void>;
}

/**
 * Runs this process as a command line: parses its arguments, reports what fails in one line, and sets the exit code.
 *
 * @param fallback words to take where the process has no arguments.
 */
export async function runProgram(
  name: string,
  programOf: (tools: ProgramTools) => Command,
  fallback: readonly string[] = [],
): Promise<void> {
  const interruption = new Interruption();
  // A reader that has seen enough, such as head, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    const asFilter = (run: () => Promise<void>): Promise<void> => {
      interruption.release();
      return run();
    };
    const words = process.argv.slice(2);
    const program = programOf({ signal: interruption.signal, asFilter });
    await program.parseAsync(words.length === 0 ? fallback : words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      process.stderr.write(`${messageOf(name, error, interruption.signal)}\n`);
    }
    if (wantsStack(process.env)) console.error(error);
    process.exitCode = exitCodeOf(error, interruption);
  } finally {
    interruption.release();
  }
}
