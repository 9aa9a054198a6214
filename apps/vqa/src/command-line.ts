import type { Command } from 'commander';

import {
  addBackbone,
  addBadSamples,
  addBudget,
  addCompute,
  addDtype,
  addEvaluation,
  addOptimiser,
  addSlots,
  addTasks,
  applicationCommandLine,
  type CommonActions,
} from '@dynaprompt/runner';
import { DTYPES } from '@dynaprompt/vision';

import { application } from './application.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import { addMode, addQuestions, evaluationFallback } from './flags.js';
import { addInspect } from './inspect/command.js';
import type { InspectOptions } from './inspect/run-inspect.js';
import { vqaOptionsOf, type VqaRunOptions } from './options.js';
import { addPredict } from './predict/command.js';
import type { PredictOptions } from './predict/run-predict.js';
import { studyCommand } from './study/command.js';
import type { VqaStudyOptions } from './study/load-data.js';

/** What the command line was asked to do. */
export interface Actions extends CommonActions<VqaRunOptions, VqaStudyOptions> {
  predict(options: PredictOptions): Promise<void>;
  inspect(options: InspectOptions): Promise<void>;
}

/**
 * The command line. Parsing throws a `CommanderError` instead of ending the process; messages go
 * to `writeError`.
 */
export function commandLine(actions: Actions, writeError: (text: string) => void): Command {
  return applicationCommandLine(
    {
      application,
      description:
        'Compares dynamic prompts, fixed ones and linear probes on questions about pictures, with frozen dual encoders.',
      addRunFlags,
      optionsOf: vqaOptionsOf,
      study: studyCommand,
      demonstration: { full: demonstration, short: shortDemonstration, folder: 'results/scenes' },
      addUses(program) {
        addPredict(program, (options) => actions.predict(options));
        addInspect(program, (options) => actions.inspect(options));
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
    'folder with questions and pictures, for each task in order; not for scenes',
  );
  addEvaluation(addBudget(addBackbone(command, 'mini-clip')), evaluationFallback);
  addQuestions(addMode(command));
  addBadSamples(
    command,
    'stop at questions and pictures that cannot be used, or leave them out and count them',
  );
  addOptimiser(addCompute(addDtype(addSlots(command), DTYPES)));
}
