import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { mkdir, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

import { DataError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { Outcome, StudyRun } from './run-plan.js';

/** A finished or failed run as the journal keeps it. */
export interface JournalEntry {
  readonly key: string;
  readonly run: StudyRun;
  readonly outcome: Outcome;
  /** Node, processor and system that it ran on. */
  readonly machine: string;
}

/** A file of JSON lines, one for each run; what was written survives whatever ends the process. */
export class Journal {
  private constructor(
    private readonly path: string,
    /** By key; of several lines with one key the last counts. */
    readonly entries: Map<string, JournalEntry>,
  ) {}

  /**
   * Reads what there is; a last line that was cut off in writing is dropped from the file.
   *
   * @throws DataError naming a line that is no entry.
   */
  static async open(path: string): Promise<Journal> {
    await mkdir(dirname(path), { recursive: true });
    const bytes = await readFile(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const whole = bytes.lastIndexOf('\n') + 1;
    const lines = bytes.toString('utf8', 0, whole).split('\n').slice(0, -1);
    const entries = new Map(
      lines.map((line, index) => {
        const entry = entryOf(line, `${path} line ${index + 1}`);
        return [entry.key, entry] as const;
      }),
    );
    if (whole < bytes.length) await truncate(path, whole);
    return new Journal(path, entries);
  }

  /** Adds a line, on disk when this returns. */
  append(entry: JournalEntry): void {
    const file = openSync(this.path, 'a');
    try {
      writeSync(file, `${JSON.stringify(entry)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.entries.set(entry.key, entry);
  }
}

function entryOf(line: string, subject: string): JournalEntry {
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
    problem: 'it is no entry of a study',
    remedy: 'Name the journal of a study, or take the line out; its run will be done again',
  });
}

function isEntry(value: unknown): value is JournalEntry {
  if (!isObject(value) || !isObject(value.outcome) || !isObject(value.run)) return false;
  const { key, machine, outcome } = value;
  if (typeof key !== 'string' || typeof machine !== 'string') return false;
  if (outcome.ok === false) return typeof outcome.message === 'string';
  const numbers = ['final', 'best', 'bestStep', 'trainableParameters', 'seconds'];
  const isCount = (part: unknown): boolean => part === null || Array.isArray(part);
  return (
    outcome.ok === true &&
    numbers.every((name) => typeof outcome[name] === 'number') &&
    isCount(outcome.positions) &&
    isCount(outcome.lengths)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
