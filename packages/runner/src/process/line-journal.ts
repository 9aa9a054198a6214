import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { mkdir, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

import { ConfigurationError, DataError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { Keyed } from './run-process.js';

/** What the lines of a journal are. */
export interface EntryKind<Entry extends Keyed> {
  /** What keeps the journal, e.g. `a study`. */
  readonly owner: string;
  readonly isEntry: (value: unknown) => value is Entry;
}

/** A file of JSON lines, one for each run; what was written survives whatever ends the process. */
export class LineJournal<Entry extends Keyed> {
  private constructor(
    private readonly path: string,
    /** By key; of several lines with one key the last counts. */
    readonly entries: Map<string, Entry>,
  ) {}

  /**
   * Reads what there is; a last line that was cut off in writing is dropped from the file.
   *
   * @throws DataError naming a line that is no entry.
   */
  static async read<Entry extends Keyed>(path: string, kind: EntryKind<Entry>): Promise<LineJournal<Entry>> {
    await mkdir(dirname(path), { recursive: true });
    const bytes = await readFile(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const whole = bytes.lastIndexOf('\n') + 1;
    const lines = bytes.toString('utf8', 0, whole).split('\n').slice(0, -1);
    const entries = new Map(
      lines.map((line, index) => {
        const entry = entryOf(line, `${path} line ${index + 1}`, kind);
        return [entry.key, entry] as const;
      }),
    );
    if (whole < bytes.length) await truncate(path, whole);
    return new LineJournal(path, entries);
  }

  /** Adds a line, on disk when this returns. @throws ConfigurationError where it cannot be written; the others are as they were. */
  append(entry: Entry): void {
    try {
      appendWhole(this.path, Buffer.from(`${JSON.stringify(entry)}\n`));
    } catch (cause) {
      throw notWritten(this.path, cause);
    }
    this.entries.set(entry.key, entry);
  }
}

/** What cannot be written, such as on a disk that is full; whoever keeps a journal goes on from it. */
export function notWritten(path: string, cause: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: path,
    problem: `it cannot be written (${(cause as Error).message})`,
    remedy: 'Make space, and see that the folder can be written; then start again: what is finished is kept',
    cause,
  });
}

/** Adds bytes to a file, all of them or none. */
function appendWhole(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'a');
  try {
    const { size } = fstatSync(file);
    try {
      // On a disk that is nearly full only a part is taken.
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } catch (error) {
      ftruncateSync(file, size);
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

function entryOf<Entry extends Keyed>(
  line: string,
  subject: string,
  { owner, isEntry }: EntryKind<Entry>,
): Entry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (isEntry(value)) return value;
  throw new DataError({
    packageName,
    subject,
    problem: `it is no entry of ${owner}`,
    remedy: `Name the journal of ${owner}, or take the line out; its run will be done again`,
  });
}
