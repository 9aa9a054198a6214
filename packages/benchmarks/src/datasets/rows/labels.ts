import { DataError } from '@dynaprompt/core';
import type { Table } from '../formats/table.js';
import { packageName } from '../../package-name.js';
import type { LabelDefinition } from '../types.js';
import { RowProblem } from './faults.js';
import { shown } from './values.js';

/** More different labels than this means that a text or number column was taken for the label column. */
const MOST_CLASSES = 1000;

/** What benchmarks write where they keep an answer to themselves. */
const HIDDEN = -1;

/** The distinct values of a label column in ascending order, each being its own name. */
export function labelsOf(table: Table, column: string): readonly LabelDefinition[] {
  const found = table.rows
    .map(({ values }) => spelling(values[column]))
    .filter((value) => value !== undefined);
  const values = [...new Set(found)].sort();
  if (values.length < 2) {
    throw fault(
      table.path,
      `column "${column}" holds only one value, ${shown(values.join())}`,
      'Give data with two classes or more, or name another label column',
    );
  }
  if (values.length > MOST_CLASSES) {
    throw fault(
      table.path,
      `column "${column}" holds ${values.length} different values, too many to be classes`,
      `Name a label column with at most ${MOST_CLASSES} values; the file has ${table.columns.join(', ')}`,
    );
  }
  return values.map((value) => ({ value, name: value }));
}

/** Looks a label up; undefined where it is not one of the task's. */
export type LabelIndex = (value: unknown) => number | undefined;

/** Index of each label by its value and aliases. */
export function labelIndex(labels: readonly LabelDefinition[]): LabelIndex {
  const indices = new Map(
    labels.flatMap(({ value, aliases = [] }, index) =>
      [value, ...aliases].map((text) => [text, index] as const),
    ),
  );
  return (value) => indices.get(spelling(value) ?? '');
}

/** Whether a label stands for an answer that is not published. A task of one's own may call a class −1. */
export function isHidden(value: unknown, index: LabelIndex): boolean {
  return Number(spelling(value) ?? Number.NaN) === HIDDEN && index(value) === undefined;
}

/** A label's class. Throws a `RowProblem` where it is not one of the task's. */
export function classOf(
  value: unknown,
  column: string,
  labels: readonly LabelDefinition[],
  index: LabelIndex,
): number {
  const label = index(value);
  if (label !== undefined) return label;
  const problem =
    value === undefined || value === null
      ? `there is no label in column "${column}"`
      : `label ${shown(value)} in column "${column}" is not one of the task's`;
  throw new RowProblem(problem, `Use one of ${labels.map((known) => known.value).join(', ')}`);
}

/** A number as the answer. Throws a `RowProblem` where it is none or out of range. */
export function numberOf(
  value: unknown,
  column: string,
  [lowest, highest]: readonly [number, number],
): number {
  const text = spelling(value);
  const number = text === undefined || text === '' ? Number.NaN : Number(text);
  if (number >= lowest && number <= highest) return number;
  throw new RowProblem(
    `${shown(value)} in column "${column}" is not a number from ${lowest} to ${highest}`,
    'Correct it or take the line out',
  );
}

/** Index of the right candidate. Throws a `RowProblem` where it is none of theirs. */
export function candidateOf(value: unknown, candidates: readonly string[]): number {
  const index = Number(spelling(value) ?? Number.NaN);
  if (Number.isInteger(index) && index >= 0 && index < candidates.length) return index;
  throw new RowProblem(
    `label ${shown(value)} is none of the ${candidates.length} candidates`,
    `Use an index from 0 to ${candidates.length - 1}`,
  );
}

/** A label as text: strings, numbers and truth values are spelt alike in all formats. */
function spelling(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return undefined;
}

function fault(subject: string, problem: string, remedy: string): DataError {
  return new DataError({ packageName, subject, problem, remedy });
}
