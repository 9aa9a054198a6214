import { LineJournal } from '../process/line-journal.js';
import type { Outcome, StudyRun } from './run-plan.js';

/** A finished or failed run as the journal keeps it. */
export interface JournalEntry {
  readonly key: string;
  readonly run: StudyRun;
  readonly outcome: Outcome;
  /** Node, processor and system that it ran on. */
  readonly machine: string;
}

export type Journal = LineJournal<JournalEntry>;

/** The journal of a study, see {@link LineJournal}. */
export const Journal = {
  /** @throws DataError naming a line that is no entry. */
  open: (path: string): Promise<Journal> => LineJournal.read(path, { owner: 'a study', isEntry }),
};

function isEntry(value: unknown): value is JournalEntry {
  if (!isObject(value) || !isObject(value.run)) return false;
  return typeof value.key === 'string' && typeof value.machine === 'string' && isOutcome(value.outcome);
}

/** Whether something that was read from a file is what a run gave. */
export function isOutcome(outcome: unknown): outcome is Outcome {
  if (!isObject(outcome)) return false;
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

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
