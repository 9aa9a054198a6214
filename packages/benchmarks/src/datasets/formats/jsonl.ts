import type { RowFault } from '../rows/faults.js';
import { fileFault, notUtf8Fault, readLines } from './read-bytes.js';
import type { Table, TableRow } from './table.js';

/**
 * Reads a file of JSON objects, one a line, as SuperGLUE writes it. Lines that are no objects are faults, blank
 * lines are nothing. Rejects with a `DataError` where the whole file is unusable.
 */
export async function readJsonLines(path: string): Promise<Table> {
  const rows: TableRow[] = [];
  const faults: RowFault[] = [];
  const fields = new Set<string>();
  for (const { line, text } of await readLines(path)) {
    if (text === undefined) {
      faults.push(notUtf8Fault(path, line));
      continue;
    }
    if (text.trim() === '') continue;
    const values = parsed(text);
    if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
      rows.push({ line, values: values as TableRow['values'] });
      for (const field of Object.keys(values)) fields.add(field);
      continue;
    }
    const problem = values === undefined ? 'this is not JSON' : 'this is not a JSON object';
    faults.push({ path, unit: 'line', line, problem, remedy: 'Make the line one JSON object' });
  }
  if (rows.length + faults.length === 0) {
    throw fileFault(path, 'the file has no data rows', 'Give a file with one JSON object a line');
  }
  return { path, unit: 'line', columns: [...fields], rows, faults };
}

/** The value of a JSON text, undefined where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
