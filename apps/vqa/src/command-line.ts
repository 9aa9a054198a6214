import type { Command } from 'commander';

import {
  addBackbone,
  addBudget,
  addCompute,
  addDemonstration,
  addDoctor,
  addEvaluation,
  addExportPeft,
  addList,
  addOptimiser,
  addSlots,
  addStudy,
  addSweep,
  addTasks,
  addWorker,
  completeRun,
  createProgram,
  type OutputOptions,
  type StudyPlaces,
  type SweepPlaces,
  type WorkerPlaces,
} from '@dynaprompt/runner';
import type { PeftExportOptions } from '@dynaprompt/training';

import { application } from './application.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import { addBadSamples, addDtype, addMode, addQuestions, evaluationFallback } from './flags.js';
import { addInspect } from './inspect/command.js';
import type { InspectOptions } from './inspect/run-inspect.js';
import { type RunFlags, vqaOptionsOf, type VqaRunOptions } from './options.js';
import { addPredict } from './predict/command.js';
import type { PredictOptions } from './predict/run-predict.js';
import { studyCommand } from './study/command.js';
import type { VqaStudyOptions } from './study/load-data.js';

/** What the command line was asked to do. */
export interface Actions {
  list(options: { readonly json: boolean }): Promise<void> | void;
  doctor(options: { readonly json: boolean }): Promise<void>;
  compare(options: VqaRunOptions, output: OutputOptions): Promise<void>;
  study(options: VqaStudyOptions, places: StudyPlaces): Promise<void>;
  sweep(places: SweepPlaces): Promise<void>;
  worker(places: WorkerPlaces): Promise<void>;
  predict(options: PredictOptions): Promise<void>;
  inspect(options: InspectOptions): Promise<void>;
  exportPeft(adapter: string, folder: string, options: PeftExportOptions): Promise<void>;
}

/**
 * The command line. Parsing throws a `CommanderError` instead of ending the process; messages go
 * to `writeError`.
 */
export function commandLine(actions: Actions, writeError: (text: string) => void): Command {
  const program = createProgram(
    application,
    'Compares dynamic prompts, fixed ones and linear probes on questions about pictures, with frozen dual encoders.',
    writeError,
  );
  addList(program, 'show tasks, methods and bundled backbones', (options) => actions.list(options));
  addRun(program, actions);
  addStudy(program, studyCommand, (options, places) => actions.study(options, places));
  addSweep(program, application.name, (places) => actions.sweep(places));
  addWorker(program, (places) => actions.worker(places));
  addDemonstration(
    program,
    { full: demonstration, short: shortDemonstration },
    (options, output) => actions.compare(options, output),
    'results/scenes',
  );
  addPredict(program, (options) => actions.predict(options));
  addInspect(program, (options) => actions.inspect(options));
  addDoctor(program, (options) => actions.doctor(options));
  addExportPeft(program, (adapter, folder, options) => actions.exportPeft(adapter, folder, options));
  return program;
}

function addRun(program: Command, actions: Actions): void {
  const command = program.command('run').description('train methods on a task and compare them');
  addTasks(
    command,
    'task, see list; several with commas between share one prompt',
    'folder with questions and pictures, for each task in order; not for scenes',
  );
  addEvaluation(addBudget(addBackbone(command, 'mini-clip')), evaluationFallback);
  addQuestions(addMode(command));
  addBadSamples(
    command,
    'stop at questions and pictures that cannot be used, or leave them out and count them',
  );
  addOptimiser(addCompute(addDtype(addSlots(command))));
  completeRun<RunFlags, VqaRunOptions>(command, {
    optionsOf: vqaOptionsOf,
    compare: (options, output) => actions.compare(options, output),
  });
}
