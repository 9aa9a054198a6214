#!/usr/bin/env node
import {
  exportAdapter,
  runComparison,
  runDoctor,
  runProgram,
  runStudy,
  runSweep,
  serveQueue,
} from '@dynaprompt/runner';

import { application } from './application.js';
import { bundled } from './backbone.js';
import { commandLine } from './command-line.js';
import { domain } from './domain.js';
import { runInspect } from './inspect/run-inspect.js';
import { catalogue, formatCatalogue } from './list.js';
import { runPredict } from './predict/run-predict.js';
import { studyCommand } from './study/command.js';

const manifest = new URL('../package.json', import.meta.url);
const runWorker = new URL('./run/worker.js', import.meta.url);
const worker = new URL('./study/worker.js', import.meta.url);
const jobWorker = new URL('./sweep/worker.js', import.meta.url);

await runProgram(
  application.program,
  ({ signal, asFilter }) =>
    commandLine(
      {
        list({ json }) {
          process.stdout.write(`${json ? JSON.stringify(catalogue(), null, 2) : formatCatalogue()}\n`);
        },
        doctor: (options) => runDoctor({ application, manifest, bundled }, options),
        exportPeft: (adapter, folder, options) =>
          exportAdapter(application.program, adapter, folder, options),
        study: (options, places) => runStudy(domain, worker, options, places, signal),
        sweep: async (places) => {
          await runSweep(domain, studyCommand, jobWorker, places, signal);
        },
        worker: (places) => serveQueue(application, jobWorker, places, signal),
        predict: (options) => asFilter(() => runPredict(options)),
        inspect: (options) => asFilter(() => runInspect(options)),
        compare: (options, output) => runComparison(domain, options, output, signal, runWorker),
      },
      (text) => process.stderr.write(text),
    ),
  ['demo'],
);
