import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { JobFailure } from './summary.js';

/** A sweep of which jobs failed; all others are done and in the summary. */
export class JobsFailedError extends DynaPromptError {
  readonly failures: readonly JobFailure[];

  constructor(failures: readonly JobFailure[], summary: string) {
    super({
      packageName,
      subject: 'sweep',
      problem: `${failures.length} jobs failed; ${summary} says which and why`,
      remedy: 'Mend the cause, and start the sweep again with --retry-failed: only these jobs are done again',
    });
    this.failures = failures;
  }
}
