import { readFile } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';
import { DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';

/** A data row with the line it stands on, counted from 1 with the header as line 1. */
export interface TsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/** A tab-separated file in memory; every row has as many fields as the header. */
export interface TsvTable {
  readonly path: string;
  readonly header: readonly string[];
  readonly rows: readonly TsvRow[];
}

/**
 * Reads a tab-separated file as GLUE writes it: UTF-8, one header line, no quoting, so that `"` is an ordinary character.
 * Line ends may be LF or CRLF. Rejects with a `DataError` that names the file and the line.
 */
export async function readTsv(path: string): Promise<TsvTable> {
  const bytes = await readBytes(path);
  if (bytes.length === 0)
    throw fault(path, 'the file is empty', 'Give a file with a header line and data rows');
  if (!isUtf8(bytes)) {
    const line = firstLineNotUtf8(bytes);
    throw fault(
      `${path} line ${line}`,
      'the text is not UTF-8',
      'Convert the file, for example with iconv -t UTF-8',
    );
  }
  const lines = new TextDecoder().decode(bytes).split('\n').map(withoutCarriageReturn);
  if (lines.at(-1) === '') lines.pop();
  const [headerLine = '', ...dataLines] = lines;
  const header = headerLine.split('\t');
  if (dataLines.length === 0) {
    throw fault(path, 'the file has a header line but no data rows', 'Give a file with data rows');
  }
  const rows = dataLines.map((text, index) => ({ line: index + 2, fields: text.split('\t') }));
  for (const { line, fields } of rows) {
    if (fields.length === header.length) continue;
    throw fault(
      `${path} line ${line}`,
      `${fields.length} tab-separated ${fields.length === 1 ? 'field' : 'fields'} where the header has ${header.length}`,
      `Make the line hold ${header.join(', ')}, with a tab between fields and none inside them`,
    );
  }
  return { path, header, rows };
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
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
  }
}

/** No byte of a longer UTF-8 sequence is a line feed, so lines can be checked one by one. */
function firstLineNotUtf8(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(0x0a, start);
    if (!isUtf8(bytes.subarray(start, end < 0 ? bytes.length : end))) return line;
    if (end < 0) return line;
    start = end + 1;
    line += 1;
  }
  return line;
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function fault(subject: string, problem: string, remedy: string): DataError {
  return new DataError({ packageName, subject, problem, remedy });
}
