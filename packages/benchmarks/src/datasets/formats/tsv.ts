import { fileFault, notUtf8Fault, readLines } from './read-bytes.js';
import { tableOf } from './delimited.js';
import type { Table, TextLayout } from './table.js';

/**
 * Reads a tab-separated file as GLUE writes it: UTF-8, one header line unless `header` names the columns, no quoting, so that
 * `"` is an ordinary character. Line ends may be LF or CRLF. Rejects with a `DataError` where the whole file is unusable.
 */
export async function readTsv(path: string, layout: TextLayout = {}): Promise<Table> {
  const lines = await readLines(path);
  const header = layout.header ?? lines[0]?.text?.split('\t');
  if (header === undefined) {
    const { problem, remedy } = notUtf8Fault(path, 1);
    throw fileFault(`${path} line 1`, problem, remedy);
  }
  const rows = (layout.header === undefined ? lines.slice(1) : lines).map(({ line, text }) => ({
    line,
    fields: text?.split('\t') ?? notUtf8Fault(path, line),
  }));
  return tableOf(path, 'tab', header, rows);
}
