import { ConfigurationError, DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** A checkpoint that could not be written, for lack of space say. Those of before are untouched. */
export class CheckpointWriteError extends DynaPromptError {
  constructor(
    /** Absolute path of what was to be written. */
    readonly path: string,
    cause: unknown,
  ) {
    super({
      packageName,
      subject: path,
      problem: `the checkpoint cannot be written (${(cause as Error).message}); earlier ones are untouched`,
      remedy: 'Make space or name another folder, then start the run again with resume',
      cause,
    });
  }
}

/** A checkpoint of another run: its configuration, backbone or data differ. */
export class CheckpointMismatchError extends ConfigurationError {
  constructor(
    path: string,
    /** What differs, one line each: `settings.batch is 8 in the checkpoint and 4 here`. */
    readonly differences: readonly string[],
  ) {
    const more = differences.length > shown ? ` and ${differences.length - shown} more` : '';
    super({
      packageName,
      subject: path,
      problem: `it belongs to another run: ${differences.slice(0, shown).join('; ')}${more}`,
      remedy: 'Give what the run was started with, or name another folder',
    });
  }
}

/** Differences that a message has room for. */
const shown = 5;
