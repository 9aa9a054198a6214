import { ConfigurationError } from '@dynaprompt/core';
import { givenLines, type LineSource, openLines } from '@dynaprompt/runner';

import { application } from '../application.js';
import { packageName } from '../package-name.js';

/** Where questions come from: a picture with a question, or lines `picture<TAB>question`. */
export interface Asked {
  /** Default: standard input. */
  readonly file: string | undefined;
  readonly picture: string | undefined;
  readonly question: string | undefined;
}

/** The lines that were asked for. @throws ConfigurationError where a picture comes without a question, or beside a file. */
export async function questionsOf({ file, picture, question }: Asked): Promise<LineSource> {
  if (picture === undefined && question === undefined) {
    const source = await openLines(file, 'picture and question');
    if (source.isTerminal) {
      process.stderr.write(`${application.program}: reads lines PICTURE<TAB>QUESTION; Ctrl-D ends them\n`);
    }
    return source;
  }
  const refuse = (problem: string): ConfigurationError =>
    new ConfigurationError({
      packageName,
      subject: '--picture and --question',
      problem,
      remedy: 'Give both and no file, or lines PICTURE<TAB>QUESTION in a file or on standard input',
    });
  if (picture === undefined || question === undefined) throw refuse('one is given without the other');
  if (file !== undefined) throw refuse('a file is named besides');
  return givenLines([`${picture}\t${question}`]);
}
