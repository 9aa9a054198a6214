import type { Command } from 'commander';

import { taskNamed } from '@dynaprompt/benchmarks';
import { parseCount, type StudyCommand } from '@dynaprompt/runner';

import { textHeads } from '../head.js';
import type { GlueStudyOptions } from './load-task.js';

/** What `study` has of its own here. */
export const studyCommand: StudyCommand<GlueStudyOptions> = {
  backbone: 'mini-bert',
  heads: textHeads,
  output: 'docs/results.md',
  requireTask: taskNamed,
  addOwn: (command: Command) => {
    command.option('--max-length <count>', 'most tokens of a text', parseCount);
  },
  complete: (options, { maxLength }) => ({
    ...options,
    maxLength: typeof maxLength === 'number' ? maxLength : null,
  }),
};
