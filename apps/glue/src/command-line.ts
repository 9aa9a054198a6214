import { type Command, Option } from 'commander';

import {
  addBackbone,
  addBudget,
  addDtype,
  addEvaluation,
  addHead,
  addOptimiser,
  addSlots,
  addTasks,
  applicationCommandLine,
  type CommonActions,
  parseCount,
} from '@dynaprompt/runner';
import { DTYPES } from '@dynaprompt/text';

import { application } from './application.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import { addExport } from './export/command.js';
import type { ExportTunedOptions } from './export/run-export.js';
import { addInspect } from './inspect/command.js';
import type { InspectOptions } from './inspect/run-inspect.js';
import { type GlueOptions, glueOptionsOf } from './options.js';
import { addPredict } from './predict/command.js';
import type { PredictOptions } from './predict/run-predict.js';
import { textHeads } from './head.js';
import { studyCommand } from './study/command.js';
import type { GlueStudyOptions } from './study/load-task.js';

/** What the command line was asked to do. */
export interface Actions extends CommonActions<GlueOptions, GlueStudyOptions> {
  predict(options: PredictOptions): Promise<void>;
  inspect(options: InspectOptions): Promise<void>;
  exportTuned(options: ExportTunedOptions): Promise<void>;
}

/**
 * The command line. Parsing throws a `CommanderError` instead of ending the process; messages go to `writeError`.
 */
export function commandLine(actions: Actions, writeError: (text: string) => void): Command {
  return applicationCommandLine(
    {
      application,
      description: 'Compares dynamic prompts, fixed prompts and linear probes on frozen text backbones.',
      addRunFlags,
      optionsOf: glueOptionsOf,
      study: studyCommand,
      demonstration: { full: demonstration, short: shortDemonstration },
      addUses(program) {
        addPredict(program, (options) => actions.predict(options));
        addInspect(program, (options) => actions.inspect(options));
      },
      addExports(program) {
        addExport(program, (options) => actions.exportTuned(options));
      },
    },
    actions,
    writeError,
  );
}

function addRunFlags(command: Command): void {
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
  addSlots(command).option(
    '--max-length <count>',
    'most tokens of a text (default: what the model has room for)',
    parseCount,
  );
  addOptimiser(addHead(addDtype(command, DTYPES), textHeads));
}
