import { givenLines, type LineSource, openLines } from '@dynaprompt/runner';

import { application } from '../application.js';

/** Paths of pictures: those that were given, or those that standard input has, one a line. */
export async function picturesOf(given: readonly string[]): Promise<LineSource> {
  const [only, ...others] = given;
  if (only !== undefined && (only !== '-' || others.length > 0)) return givenLines(given);
  const source = await openLines(undefined, 'path');
  if (source.isTerminal) {
    process.stderr.write(`${application.program}: reads paths of pictures, one a line; Ctrl-D ends them\n`);
  }
  return source;
}
