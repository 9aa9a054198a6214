import { basename } from 'node:path';
import { DataError, nullThrows } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import type { TsvRow, TsvTable } from './read-tsv.js';
import type { ColumnNames, LabelDefinition, LabelledExample } from './types.js';

/** The distinct values of a label column in ascending order, each being its own name. */
export function labelsOf(table: TsvTable, column: string): readonly LabelDefinition[] {
  const position = positionOf(table, column);
  const values = [...new Set(table.rows.map((row) => fieldOf(row, position)))].sort();
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
      `Name a label column with at most ${MOST_CLASSES} values; the file has ${table.header.join(', ')}`,
    );
  }
  return values.map((value) => ({ value, name: value }));
}

/** More different labels than this means that a text or number column was taken for the label column. */
const MOST_CLASSES = 1000;

/** The rows of a table as examples. Throws a `DataError` that names file, line, value and the labels allowed. */
export function examplesOf(
  table: TsvTable,
  columns: ColumnNames,
  labels: readonly LabelDefinition[],
): readonly LabelledExample[] {
  const textAt = positionOf(table, columns.text);
  const pairAt = columns.pair === undefined ? undefined : positionOf(table, columns.pair);
  const labelAt = positionOf(table, columns.label);
  const indices = new Map(labels.map(({ value }, index) => [value, index]));
  const file = basename(table.path);
  return table.rows.map((row) => {
    const value = fieldOf(row, labelAt);
    const label = indices.get(value);
    if (label === undefined) {
      throw fault(
        `${table.path} line ${row.line}`,
        `label ${shown(value)} in column "${columns.label}" is not one of the task's`,
        `Use one of ${labels.map((known) => known.value).join(', ')}`,
      );
    }
    const example = { id: `${file}:${row.line}`, text: textOf(table, row, textAt, columns.text), label };
    return pairAt === undefined || columns.pair === undefined
      ? example
      : { ...example, pair: textOf(table, row, pairAt, columns.pair) };
  });
}

function textOf(table: TsvTable, row: TsvRow, position: number, column: string): string {
  const text = fieldOf(row, position).trim();
  if (text !== '') return text;
  throw fault(
    `${table.path} line ${row.line}`,
    `column "${column}" is empty`,
    'Fill in the text or take the line out',
  );
}

function positionOf(table: TsvTable, column: string): number {
  const position = table.header.indexOf(column);
  if (position >= 0) return position;
  throw fault(
    `${table.path} line 1`,
    `there is no column "${column}"`,
    `The columns found are ${table.header.map(shown).join(', ')}; name one of them or correct the header line`,
  );
}

function fieldOf(row: TsvRow, position: number): string {
  return nullThrows(row.fields[position], 'readTsv gives every row the fields of the header');
}

/** A value in quotation marks, cut where it is long. */
function shown(value: string): string {
  return value.length > 40 ? `"${value.slice(0, 40)}…"` : `"${value}"`;
}

function fault(subject: string, problem: string, remedy: string): DataError {
  return new DataError({ packageName, subject, problem, remedy });
}
