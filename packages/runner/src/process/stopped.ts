import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Something that was asked to stop, and has kept what it had done. */
export class StoppedError extends DynaPromptError {}

/** A study or sweep that was asked to stop; the runs that are done are in the journal. */
export class StudyStoppedError extends StoppedError {
  constructor(journal: string, cause: unknown, subject = 'study') {
    super({
      packageName,
      subject,
      problem: `stopped; the finished runs are kept in ${journal}`,
      remedy: 'Start it again to go on',
      cause,
    });
  }
}

/** A comparison that was asked to stop; its checkpoints are there. */
export class ComparisonStoppedError extends StoppedError {
  constructor(checkpoints: string, cause: unknown) {
    super({
      packageName,
      subject: 'run',
      problem: `stopped; its checkpoints are kept in ${checkpoints}`,
      remedy: 'Give the same command with --resume to go on',
      cause,
    });
  }
}

/** A worker that was asked to stop while its queue was out of reach. */
export class WorkerStoppedError extends StoppedError {
  constructor(cause: unknown) {
    super({
      packageName,
      subject: 'worker',
      problem: 'stopped while its queue was out of reach',
      remedy:
        'Nothing has to be done: jobs that were at hand go to other workers when their locks have run out',
      cause,
    });
  }
}
