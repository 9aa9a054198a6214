import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** A study or sweep that was asked to stop; the runs that are done are in the journal. */
export class StudyStoppedError extends DynaPromptError {
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
