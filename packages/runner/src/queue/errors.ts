import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** A queue that cannot be reached, or no longer. */
export class QueueConnectionError extends DynaPromptError {
  constructor(address: string, problem: string, cause: unknown) {
    super({
      packageName,
      subject: `queue ${address}`,
      problem,
      remedy: 'See that Redis runs there and lets this machine in, and start again: what is done is kept',
      cause,
    });
  }
}
