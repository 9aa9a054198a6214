import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** A process of several that train one run is gone; the others cannot go on without it. */
export class RankLostError extends DynaPromptError {
  /** 0 … ranks − 1 */
  readonly rank: number;
  /** How it ended, as far as anyone knows. */
  readonly how: string;

  constructor(rank: number, how: string, cause?: unknown) {
    super({
      packageName,
      subject: `rank ${rank}`,
      problem: `it is gone (${how}), and the other ranks stopped`,
      remedy: 'See why it ended, and start all ranks again, with --resume to go on from the last checkpoint',
      ...(cause === undefined ? {} : { cause }),
    });
    this.rank = rank;
    this.how = how;
  }
}

/** Processes that should train the same run, and do not. */
export class RanksDifferError extends DynaPromptError {
  readonly rank: number;

  constructor(rank: number, what: string) {
    super({
      packageName,
      subject: `rank ${rank}`,
      problem: `its ${what} are not those of rank 0`,
      remedy:
        'Start all ranks with the same command, versions, data and model, on processors that compute alike',
    });
    this.rank = rank;
  }
}
