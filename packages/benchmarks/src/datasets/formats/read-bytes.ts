import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { DataError } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';
import type { RowFault } from '../rows/faults.js';

/** A line of a text file; `text` is undefined where it is not UTF-8. */
export interface TextLine {
  readonly line: number;
  readonly text: string | undefined;
}

/** Bytes of a file. Rejects with a `DataError` where it cannot be read or is empty. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DataError({
      packageName,
      subject: path,
      problem: missing ? 'the file does not exist' : `the file cannot be read (${(cause as Error).message})`,
      remedy: missing
        ? 'Put the file there, or name another folder or task'
        : 'Check its kind and permissions',
      cause,
    });
  });
  if (bytes.length > 0) return bytes;
  throw fileFault(path, 'the file is empty', 'Give a file with data rows');
}

/** Lines of a file, without their ends (LF or CRLF) and without a byte order mark. */
export async function readLines(path: string): Promise<readonly TextLine[]> {
  const bytes = await readBytes(path);
  const lines = new TextDecoder().decode(bytes).split('\n').map(withoutCarriageReturn);
  if (lines.at(-1) === '') lines.pop();
  const broken = isUtf8(bytes) ? new Set<number>() : linesNotUtf8(bytes);
  return lines.map((text, index) => ({ line: index + 1, text: broken.has(index + 1) ? undefined : text }));
}

/** Lines that are not UTF-8. No byte of a longer UTF-8 sequence is a line feed, so lines can be checked one by one. */
function linesNotUtf8(bytes: Uint8Array): ReadonlySet<number> {
  const broken = new Set<number>();
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed;
    if (!isUtf8(bytes.subarray(start, end))) broken.add(line);
    start = end + 1;
  }
  return broken;
}

/** The fault of a line that is not UTF-8. */
export function notUtf8Fault(path: string, line: number): RowFault {
  const remedy = 'Convert the file, for example with iconv -t UTF-8';
  return { path, unit: 'line', line, problem: 'the text is not UTF-8', remedy };
}

/** An error of a whole file. */
export function fileFault(path: string, problem: string, remedy: string, cause?: unknown): DataError {
  return new DataError({
    packageName,
    subject: path,
    problem,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
