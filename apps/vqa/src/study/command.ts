import type { Command } from 'commander';

import { addEvaluation, type StudyCommand } from '@dynaprompt/runner';

import { taskNamed } from '../data/tasks.js';
import { addQuestions, evaluationFallback } from '../flags.js';
import { vqaHeads } from '../head.js';
import { type QuestionFlags, questionOptionsOf } from '../options.js';
import type { VqaStudyOptions } from './load-data.js';

/** What `study` has of its own here. */
export const studyCommand: StudyCommand<VqaStudyOptions> = {
  backbone: 'mini-clip',
  heads: vqaHeads,
  output: 'results/vqa-study.md',
  requireTask: taskNamed,
  addOwn: (command: Command) => {
    addEvaluation(addQuestions(command), evaluationFallback);
  },
  complete: (options, flags) => {
    const { evaluation } = flags;
    return {
      ...options,
      // Parsed by the options that `addOwn` has added.
      ...questionOptionsOf(options.head, flags as unknown as QuestionFlags),
      evaluation: evaluation === 'test' || evaluation === 'validation' ? evaluation : null,
    };
  },
};
