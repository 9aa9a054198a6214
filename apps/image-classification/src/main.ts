#!/usr/bin/env node
import { commonActions, runProgram } from '@dynaprompt/runner';

import { application } from './application.js';
import { bundled } from './bundled.js';
import { commandLine } from './command-line.js';
import { catalogue, formatCatalogue } from './list.js';
import { studyCommand } from './study/command.js';

// What only some commands need is loaded when one of them is asked for.
const parts = {
  application,
  domain: async () => (await import('./domain.js')).domain,
  study: studyCommand,
  manifest: new URL('../package.json', import.meta.url),
  workers: {
    run: new URL('./run/worker.js', import.meta.url),
    study: new URL('./study/worker.js', import.meta.url),
    sweep: new URL('./sweep/worker.js', import.meta.url),
  },
  bundled,
  list: { text: formatCatalogue, json: catalogue },
};

await runProgram(
  application.program,
  ({ signal, asFilter }) =>
    commandLine(
      {
        ...commonActions(parts, signal),
        predict: (options) =>
          asFilter(async () => (await import('./predict/run-predict.js')).runPredict(options)),
        inspect: (options) =>
          asFilter(async () => (await import('./inspect/run-inspect.js')).runInspect(options)),
      },
      (text) => process.stderr.write(text),
    ),
  ['demo'],
);
