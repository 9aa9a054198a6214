import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from './package-name.js';

/** Says that the place of a prompt cannot be learned with a model. */
export function placeless(file: string): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: `a learned position with ${file}`,
    problem: 'its rows have no positions, so where a prompt stands changes nothing',
    remedy: 'Leave the position fixed',
  });
}
