#!/usr/bin/env node
import { CommanderError } from 'commander';

import { commandLine } from './command-line.js';
import { exportAdapter } from './export-peft.js';
import { exitCodeOf, messageOf, wantsStack } from './failure.js';
import { runInspect } from './inspect/run-inspect.js';
import { Interruption } from './interruption.js';
import { runPredict } from './predict/run-predict.js';
import { runComparison } from './run-comparison.js';
import { catalogue, formatCatalogue } from './list.js';
import { runStudy } from './study/run-study.js';

const interruption = new Interruption();

const program = commandLine(
  {
    list({ json }) {
      process.stdout.write(`${json ? JSON.stringify(catalogue(), null, 2) : formatCatalogue()}\n`);
    },
    exportPeft: exportAdapter,
    study: (options, places) => runStudy(options, places, interruption.signal),
    predict: (options) => asFilter(() => runPredict(options)),
    inspect: (options) => asFilter(() => runInspect(options)),
    compare: (options, output) => runComparison(options, output, interruption.signal),
  },
  (text) => process.stderr.write(text),
);

/** Ctrl-C ends a filter at once, as it does elsewhere: there is nothing to finish. */
function asFilter(run: () => Promise<void>): Promise<void> {
  interruption.release();
  return run();
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) process.stderr.write(`${messageOf(error, interruption.signal)}\n`);
  if (wantsStack(process.env)) console.error(error);
  process.exitCode = exitCodeOf(error, interruption);
} finally {
  interruption.release();
}
