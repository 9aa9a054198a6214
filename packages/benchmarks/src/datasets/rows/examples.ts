import { basename } from 'node:path';
import { DataError } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';
import type { Table } from '../formats/table.js';
import type { AnswerKind, ColumnNames, LabelDefinition, LabelledExample } from '../types.js';
import { type RowFault, RowProblem } from './faults.js';
import { candidateOf, classOf, isHidden, labelIndex, numberOf } from './labels.js';
import type { RowReader, RowReading } from './row-reader.js';
import { shown, textOf } from './values.js';

/** How the rows of a split become examples. */
export interface ExampleRules {
  /** Names task and split in errors, e.g. `test split of "cola"`. */
  readonly split: string;
  /** Whether the split's labels may be missing because they are not published. */
  readonly mayBeHidden: boolean;
  readonly answer: AnswerKind;
  readonly labels: readonly LabelDefinition[];
  readonly range: readonly [number, number];
  /** Columns, or what reads a row; the columns go before. */
  readonly columns: ColumnNames | undefined;
  readonly read: RowReader | undefined;
}

/** Examples of a table, and rows that are bad. */
export interface TableExamples {
  readonly examples: readonly LabelledExample[];
  readonly faults: readonly RowFault[];
}

/**
 * Makes examples of a table's rows. Rows that cannot be used are faults, in the order of the file. Throws a `DataError` where a
 * column is missing, and where the labels are hidden.
 */
export function examplesOf(table: Table, rules: ExampleRules): TableExamples {
  const read = readerOf(table, rules);
  const column = rules.columns?.label ?? 'label';
  const index = labelIndex(rules.labels);
  const examples: LabelledExample[] = [];
  const faults = [...table.faults];
  const { path, unit } = table;
  const file = basename(path);
  for (const { line, values } of table.rows) {
    try {
      for (const reading of read(values, line)) {
        const { key, label, ...parts } = reading;
        const isMissing = label === undefined && rules.mayBeHidden;
        if (isMissing || isHidden(label, index))
          throw hidden(`${path} ${unit} ${line}`, label, column, rules);
        const id = key === undefined ? `${file}:${line}` : `${file}:${line}#${key}`;
        examples.push({ id, ...parts, ...answerOf(reading, column, rules, index) });
      }
    } catch (error) {
      if (!(error instanceof RowProblem)) throw error;
      faults.push({ path, unit, line, problem: error.problem, remedy: error.remedy });
    }
  }
  return { examples, faults: faults.sort((first, second) => first.line - second.line) };
}

function answerOf(
  { label, candidates }: RowReading,
  column: string,
  { answer, labels, range }: ExampleRules,
  index: ReturnType<typeof labelIndex>,
): Pick<LabelledExample, 'label' | 'target'> {
  switch (answer) {
    case 'class':
      return { label: classOf(label, column, labels, index) };
    case 'number':
      return { label: 0, target: numberOf(label, column, range) };
    case 'candidate':
      return { label: candidateOf(label, candidates ?? []) };
  }
}

function readerOf(table: Table, rules: ExampleRules): RowReader {
  const { columns, read } = rules;
  if (columns === undefined) {
    if (read === undefined) throw new Error('internal: a layout has columns or reads its rows');
    return read;
  }
  const { text, pair, label } = columns;
  for (const column of [text, pair, label]) {
    if (column === undefined || table.rows.length === 0 || table.columns.includes(column)) continue;
    if (column === label && rules.mayBeHidden) throw hidden(table.path, undefined, label, rules);
    throw new DataError({
      packageName,
      subject: `${table.path} ${table.unit} 1`,
      problem: `there is no column "${column}"`,
      remedy: `The columns found are ${table.columns.map(shown).join(', ')}; name one of them or correct the header line`,
    });
  }
  return (values) => [
    {
      text: textOf(values, text),
      ...(pair === undefined ? {} : { pair: textOf(values, pair) }),
      label: values[label],
    },
  ];
}

function hidden(subject: string, label: unknown, column: string, { split }: ExampleRules): DataError {
  const found =
    label === undefined
      ? `there is no label in column "${column}"`
      : `label ${shown(label)} in column "${column}"`;
  return new DataError({
    packageName,
    subject,
    problem: `${found}: the answers of the ${split} are hidden, so nothing can be trained or scored on it`,
    remedy: 'Use a split whose labels are published, such as the validation split',
  });
}
