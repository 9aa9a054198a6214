import { nullThrows } from '@dynaprompt/core';
import { type DelimitedRow, tableOf } from './delimited.js';
import { fileFault, notUtf8Fault, readLines, type TextLine } from './read-bytes.js';
import type { Table, TextLayout } from './table.js';

/**
 * Reads a comma-separated file after RFC 4180: fields in quotation marks may hold commas, line ends and doubled quotation
 * marks. UTF-8, one header line unless `header` names the columns. Rejects with a `DataError` where the whole file is unusable.
 */
export async function readCsv(path: string, layout: TextLayout = {}): Promise<Table> {
  const records = recordsOf(path, await readLines(path));
  const header = layout.header ?? records[0]?.fields;
  if (header === undefined || !Array.isArray(header)) {
    const { problem, remedy } = (header ?? notUtf8Fault(path, 1)) as { problem: string; remedy: string };
    throw fileFault(`${path} line 1`, problem, remedy);
  }
  return tableOf(
    path,
    'comma',
    header as readonly string[],
    layout.header === undefined ? records.slice(1) : records,
  );
}

/** Joins the lines of records that are quoted over line ends, and takes their fields apart. */
function recordsOf(path: string, lines: readonly TextLine[]): readonly DelimitedRow[] {
  const records: DelimitedRow[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const { line, text } = nullThrows(lines[index], 'index of a line');
    const end = endOfRecord(lines, index);
    const record = lines.slice(index, end).map((part) => part.text);
    const fields = record.includes(undefined) ? undefined : fieldsOf(record.join('\n'));
    records.push({ line, fields: text === undefined ? notUtf8Fault(path, line) : (fields ?? BAD_QUOTES) });
    // A stray quotation mark swallows no rows: reading goes on with the next line.
    if (fields !== undefined) index = end - 1;
  }
  return records;
}

const BAD_QUOTES = {
  problem: 'quotation marks do not enclose whole fields',
  remedy: 'Put the field in quotation marks and double those inside it',
};

/** The first line behind the record that begins at `start`: quotation marks come in pairs, inside fields too. */
function endOfRecord(lines: readonly TextLine[], start: number): number {
  let isOpen = false;
  for (let index = start; index < lines.length; index += 1) {
    const marks = lines[index]?.text?.split('"').length ?? 1;
    if (marks % 2 === 0) isOpen = !isOpen;
    if (!isOpen) return index + 1;
  }
  return lines.length;
}

/** Fields of a record, undefined where a quotation mark stands inside a field or text behind a closing one. */
function fieldsOf(record: string): readonly string[] | undefined {
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  const fields: string[] = [];
  while (field.lastIndex <= record.length) {
    const [, quoted, plain, end] = field.exec(record) ?? [];
    if (end === undefined) return undefined;
    fields.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '') return fields;
  }
  return undefined;
}
