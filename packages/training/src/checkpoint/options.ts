import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Where and how often a run leaves its state. */
export interface CheckpointOptions {
  /** Holds the checkpoints of one run and nothing else; created where it is missing. */
  readonly folder: string;
  /** Optimiser steps from one checkpoint to the next. Default 100. The last step is always followed by one. */
  readonly everySteps?: number | undefined;
  /** Seconds after which the next step is followed by one too. Default: steps alone decide. */
  readonly everySeconds?: number | undefined;
  /** Newest checkpoints that stay, 1 or more; default 2, so that there is one where the last is damaged. */
  readonly keep?: number | undefined;
}

/**
 * Whether a run goes on from the newest sound checkpoint of its folder. `true`: there has to be one. `'auto'`: without one the run
 * begins anew. `false`: the folder has to be without checkpoints.
 */
export type Resume = boolean | 'auto';

/** {@link CheckpointOptions} with everything filled in. */
export interface CheckpointSettings {
  readonly folder: string;
  readonly everySteps: number;
  readonly everySeconds: number | undefined;
  readonly keep: number;
}

/** @throws ConfigurationError naming the option that cannot be used. */
export function resolveCheckpointOptions(options: CheckpointOptions): CheckpointSettings {
  const { folder, everySteps = 100, everySeconds, keep = 2 } = options;
  if (folder === '') throw unusable('folder', '""', 'Name a folder');
  for (const [name, value] of Object.entries({ everySteps, keep })) {
    if (!(Number.isSafeInteger(value) && value >= 1)) {
      throw unusable(name, value, 'Give a whole number of 1 or more');
    }
  }
  if (everySeconds !== undefined && !(everySeconds > 0)) {
    throw unusable('everySeconds', everySeconds, 'Give a number above 0');
  }
  return { folder, everySteps, everySeconds, keep };
}

function unusable(name: string, value: number | string, remedy: string): ConfigurationError {
  const subject = `checkpoint.${name}`;
  return new ConfigurationError({ packageName, subject, problem: `${value} cannot be used`, remedy });
}
