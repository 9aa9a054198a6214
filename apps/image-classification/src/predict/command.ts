import type { Command } from 'commander';

import {
  adapterOptionsOf,
  type AdapterFlags,
  addAdapterFlags,
  addBadSamples,
  parseCount,
} from '@dynaprompt/runner';

import type { PredictOptions } from './run-predict.js';

/** Flags of an adapter and of its answers. */
export interface PictureFlags extends AdapterFlags {
  readonly batch: number;
  readonly json?: boolean;
}

/** Adds `predict` to a command line. */
export function addPredict(program: Command, predict: (options: PredictOptions) => Promise<void>): void {
  const command = program
    .command('predict')
    .description('classify pictures with a saved adapter')
    .argument('<adapter>', 'folder that run saved, such as results/openmoji/adapters/dynamic-seed1')
    .argument('[pictures...]', 'files (default: paths, one a line, from standard input)');
  addBadSamples(
    addPictureFlags(command),
    'stop at a picture that cannot be used, or answer it by an empty line',
  ).action(
    (
      adapter: string,
      pictures: readonly string[],
      flags: PictureFlags & Pick<PredictOptions, 'onBadSample'>,
    ) => {
      const { batch, json = false, onBadSample } = flags;
      return predict({ ...adapterOptionsOf(adapter, flags), pictures, batch, json, onBadSample });
    },
  );
}

/** Flags that every command with an adapter has. */
export function addPictureFlags(command: Command): Command {
  return addAdapterFlags(command)
    .option('--batch <count>', 'most pictures of one pass through the model', parseCount, 32)
    .option('--json', 'one JSON object a line, with the probabilities of all classes');
}
