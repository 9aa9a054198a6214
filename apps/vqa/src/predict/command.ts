import type { Command } from 'commander';

import {
  type AdapterFlags,
  adapterOptionsOf,
  type AdapterOptions,
  addAdapterFlags,
  addBadSamples,
  parseCount,
} from '@dynaprompt/runner';

import type { Asked } from './question-source.js';
import type { PredictOptions } from './run-predict.js';

/** Flags of an adapter, of questions and of answers. */
export interface QuestionFlags extends AdapterFlags {
  readonly picture?: string;
  readonly question?: string;
  readonly batch: number;
  readonly top: number;
  readonly json?: boolean;
}

/** Adds `predict` to a command line. */
export function addPredict(program: Command, predict: (options: PredictOptions) => Promise<void>): void {
  const command = program
    .command('predict')
    .description('answer questions about pictures with a saved adapter');
  addBadSamples(
    addQuestionFlags(command),
    'stop at a question that cannot be answered, or answer it by an empty line',
  ).action(
    (adapter: string, file: string | undefined, flags: QuestionFlags & Pick<PredictOptions, 'onBadSample'>) =>
      predict({ ...askedOf(adapter, file, flags), onBadSample: flags.onBadSample }),
  );
}

/** Arguments and flags that every command with an adapter has. */
export function addQuestionFlags(command: Command): Command {
  command
    .argument('<adapter>', 'folder that run saved, such as results/scenes/adapters/dynamic-seed1')
    .argument('[file]', 'lines PICTURE<TAB>QUESTION (default: standard input)');
  return addAdapterFlags(command)
    .option('--picture <file>', 'one picture, with --question, in place of lines')
    .option('--question <text>', 'what is asked about it')
    .option('--batch <count>', 'most questions of one pass through the model', parseCount, 32)
    .option('--top <count>', 'answers whose probabilities are told', parseCount, 5)
    .option('--json', 'one JSON object a line, with the probabilities of the likeliest answers');
}

/** What the arguments and flags ask for. */
export function askedOf(
  adapter: string,
  file: string | undefined,
  flags: QuestionFlags,
): AdapterOptions & Asked & Pick<PredictOptions, 'batch' | 'top' | 'json'> {
  const { picture, question, batch, top, json = false } = flags;
  return { ...adapterOptionsOf(adapter, flags), file, picture, question, batch, top, json };
}
