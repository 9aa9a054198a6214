import { type Command, Option } from 'commander';

import { parseCount } from '@dynaprompt/runner';

import { couplings, modes, promptedTowers, uses } from './head.js';

/** What `--evaluation` is where it is not given. */
export const evaluationFallback = 'validation; test for scenes, whose other drawings mini-clip has seen';

/** Adds how questions are answered. */
export function addMode(command: Command): Command {
  return command.addOption(
    new Option(
      '--mode <way>',
      'a layer on the embeddings of picture and question, or the likeness of picture and statement',
    )
      .choices(modes)
      .default('classification'),
  );
}

/** Adds what is read, where prompts stand, and what is chosen from. */
export function addQuestions(command: Command): Command {
  return command
    .addOption(
      new Option('--use <what>', 'read both, or one alone, as a baseline').choices(uses).default('both'),
    )
    .addOption(
      new Option(
        '--prompts <towers>',
        'towers with prompts (default: text; vision where no text is read)',
      ).choices(promptedTowers),
    )
    .addOption(
      new Option(
        '--coupling <way>',
        'prompts in both towers: one a linear map of the other, or independent (default: linear)',
      ).choices(couplings),
    )
    .option(
      '--template <text>',
      'words around {question}; of candidates, of {question} and {answer}, or of {answer} alone',
    )
    .option(
      '--answers <count>',
      'most answers to choose from, the most rewarding ones (default: 3129; candidates: 64)',
      parseCount,
    )
    .option('--scenes <count>', 'of scenes: pictures to train on, a question each', parseCount, 1200);
}
