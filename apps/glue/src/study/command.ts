import { type Command, Option } from 'commander';

import { taskNamed } from '@dynaprompt/benchmarks';
import { parseCount, type StudyCommand } from '@dynaprompt/runner';
import { DTYPES } from '@dynaprompt/text';

import { textHeads } from '../head.js';
import type { GlueStudyOptions } from './load-task.js';

/** What `study` has of its own here. */
export const studyCommand: StudyCommand<GlueStudyOptions> = {
  backbone: 'mini-bert',
  heads: textHeads,
  output: 'docs/results.md',
  requireTask: taskNamed,
  addOwn: (command: Command) => {
    command
      .option('--max-length <count>', 'most tokens of a text', parseCount)
      .addOption(new Option('--dtype <type>', "element type of the backbone's weights").choices(DTYPES));
  },
  complete: (options, { maxLength, dtype }) => {
    const chosen = DTYPES.find((known) => known === dtype);
    return {
      ...options,
      maxLength: typeof maxLength === 'number' ? maxLength : null,
      ...(chosen === undefined ? {} : { dtype: chosen }),
    };
  },
};
