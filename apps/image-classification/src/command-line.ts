import type { Command } from 'commander';

import {
  addBackbone,
  addBadSamples,
  addBudget,
  addDtype,
  addEvaluation,
  addHead,
  addOptimiser,
  addSlots,
  addTasks,
  applicationCommandLine,
  type CommonActions,
} from '@dynaprompt/runner';
import { DTYPES } from '@dynaprompt/vision';

import { application } from './application.js';
import { addClip, slotsFallback } from './clip/flags.js';
import { demonstration, shortDemonstration } from './demonstration.js';
import {
  addAugmentation,
  addEmojiClasses,
  addMetric,
  addSplit,
  addSubgroups,
  evaluationFallback,
} from './flags.js';
import { imageHeads } from './head.js';
import { addInspect } from './inspect/command.js';
import type { InspectOptions } from './inspect/run-inspect.js';
import { type ImageOptions, imageOptionsOf } from './options.js';
import { addPredict } from './predict/command.js';
import type { PredictOptions } from './predict/run-predict.js';
import { studyCommand } from './study/command.js';
import type { ImageStudyOptions } from './study/load-data.js';

/** What the command line was asked to do. */
export interface Actions extends CommonActions<ImageOptions, ImageStudyOptions> {
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
        'Compares dynamic visual prompts, fixed ones and linear probes on frozen vision transformers.',
      addRunFlags,
      optionsOf: imageOptionsOf,
      study: studyCommand,
      demonstration: { full: demonstration, short: shortDemonstration, folder: 'results/openmoji' },
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
    'folder with the pictures, for each task in order; not for openmoji',
  ).option('--label-column <name>', 'column of the class in parquet; of cifar-100 also coarse_label');
  addSplit(addEvaluation(addBudget(addBackbone(command, 'mini-clip')), evaluationFallback));
  addBadSamples(command, 'stop at pictures that cannot be used, or leave them out and count them');
  addAugmentation(addMetric(addSubgroups(addEmojiClasses(command))));
  addOptimiser(addClip(addHead(addDtype(addSlots(command, slotsFallback), DTYPES), imageHeads)));
}
