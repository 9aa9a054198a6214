import { type Command, Option } from 'commander';

import {
  addBackbone,
  addBudget,
  addDemonstration,
  addDoctor,
  addEvaluation,
  addExportPeft,
  addHead,
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
  parseCount,
  type StudyPlaces,
  type SweepPlaces,
  type WorkerPlaces,
} from '@dynaprompt/runner';
import { DTYPES } from '@dynaprompt/text';
import type { PeftExportOptions } from '@dynaprompt/training';

import { application } from './application.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import { addExport } from './export/command.js';
import type { ExportTunedOptions } from './export/run-export.js';
import { addInspect } from './inspect/command.js';
import type { InspectOptions } from './inspect/run-inspect.js';
import { type GlueOptions, glueOptionsOf, type RunFlags } from './options.js';
import { addPredict } from './predict/command.js';
import type { PredictOptions } from './predict/run-predict.js';
import { textHeads } from './head.js';
import { studyCommand } from './study/command.js';
import type { GlueStudyOptions } from './study/load-task.js';

/** What the command line was asked to do. */
export interface Actions {
  list(options: { readonly json: boolean }): Promise<void> | void;
  doctor(options: { readonly json: boolean }): Promise<void>;
  compare(options: GlueOptions, output: OutputOptions): Promise<void>;
  study(options: GlueStudyOptions, places: StudyPlaces): Promise<void>;
  sweep(places: SweepPlaces): Promise<void>;
  worker(places: WorkerPlaces): Promise<void>;
  predict(options: PredictOptions): Promise<void>;
  inspect(options: InspectOptions): Promise<void>;
  exportTuned(options: ExportTunedOptions): Promise<void>;
  exportPeft(adapter: string, folder: string, options: PeftExportOptions): Promise<void>;
}

/**
 * The command line. Parsing throws a `CommanderError` instead of ending the process; messages go to `writeError`.
 */
export function commandLine(actions: Actions, writeError: (text: string) => void): Command {
  const program = createProgram(
    application,
    'Compares dynamic prompts, fixed prompts and linear probes on frozen text backbones.',
    writeError,
  );
  addList(program, 'show tasks, methods and bundled backbones', (options) => actions.list(options));
  addRun(program, actions);
  addStudy(program, studyCommand, (options, places) => actions.study(options, places));
  addSweep(program, application.name, (places) => actions.sweep(places));
  addWorker(program, (places) => actions.worker(places));
  addDemonstration(program, { full: demonstration, short: shortDemonstration }, (options, output) =>
    actions.compare(options, output),
  );
  addPredict(program, (options) => actions.predict(options));
  addInspect(program, (options) => actions.inspect(options));
  addDoctor(program, (options) => actions.doctor(options));
  addExport(program, (options) => actions.exportTuned(options));
  addExportPeft(program, (adapter, folder, options) => actions.exportPeft(adapter, folder, options));
  return program;
}

function addRun(program: Command, actions: Actions): void {
  const command = program.command('run').description('train methods on a task and compare them');
  addTasks(
    command,
    'task, see list; several with commas between share one prompt',
    'folder with train.tsv and dev.tsv, or data set of the Hub, for each task in order; not for bundled tasks',
  )
    .option('--text-column <name>', 'column of the text, for a layout of your own')
    .option('--pair-column <name>', 'column of the second text')
    .option('--label-column <name>', 'column of the class');
  addEvaluation(addBudget(addBackbone(command, 'mini-bert'))).addOption(
    new Option('--bad-rows <policy>', 'stop at bad rows of the data, or leave them out and count them')
      .choices(['fail', 'skip'])
      .default('fail'),
  );
  addSlots(command)
    .option(
      '--max-length <count>',
      'most tokens of a text (default: what the model has room for)',
      parseCount,
    )
    .addOption(
      new Option('--dtype <type>', "element type of the backbone's weights: which of its files is opened")
        .choices(DTYPES)
        .default('fp32'),
    );
  addOptimiser(addHead(command, textHeads));
  completeRun<RunFlags, GlueOptions>(command, {
    optionsOf: glueOptionsOf,
    compare: (options, output) => actions.compare(options, output),
  });
}
