import { readFile } from 'node:fs/promises';

import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

const opening = '<!-- notes -->';
const closing = '<!-- /notes -->';

/** An empty place for text of one's own. */
export const emptyNotes = `${opening}\n${closing}`;

/**
 * The text between the marks of a page that is written anew, marks included; empty marks where there is no page yet.
 *
 * @throws ConfigurationError for a file without the marks, which no study has written.
 */
export async function readNotes(path: string): Promise<string> {
  let page: string;
  try {
    page = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return emptyNotes;
    throw unusable(path, `it cannot be read (${(cause as Error).message})`, cause);
  }
  const start = page.indexOf(opening);
  const end = page.indexOf(closing, start);
  if (start < 0 || end < 0) throw unusable(path, `it has no ${opening} … ${closing}, so no study wrote it`);
  return page.slice(start, end + closing.length);
}

function unusable(path: string, problem: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: `--output ${path}`,
    problem,
    remedy: `Name another file, or put both marks into this one, which is written anew but for what stands between them`,
    ...(cause === undefined ? {} : { cause }),
  });
}
