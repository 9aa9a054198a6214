import type { RowFault } from '../rows/faults.js';
import { fileFault } from './read-bytes.js';
import type { Table, TableRow } from './table.js';

/** Fields of a row, or why there are none. */
export interface DelimitedRow {
  readonly line: number;
  readonly fields: readonly string[] | Pick<RowFault, 'problem' | 'remedy'>;
}

/** Puts fields under the names of their columns; rows with more or fewer fields than the header are faults. */
export function tableOf(
  path: string,
  separator: 'tab' | 'comma',
  header: readonly string[],
  rows: readonly DelimitedRow[],
): Table {
  if (rows.length === 0) {
    throw fileFault(path, 'the file has a header line but no data rows', 'Give a file with data rows');
  }
  const twice = header.find((column, index) => header.indexOf(column) < index);
  if (twice !== undefined) {
    throw fileFault(path, `two columns are called "${twice}"`, 'Give each column a name of its own');
  }
  const good: TableRow[] = [];
  const faults: RowFault[] = [];
  for (const { line, fields } of rows) {
    if (isFields(fields) && fields.length === header.length) {
      good.push({ line, values: Object.fromEntries(header.map((column, index) => [column, fields[index]])) });
      continue;
    }
    const why = isFields(fields) ? wrongCount(fields.length, separator, header) : fields;
    faults.push({ path, unit: 'line', line, ...why });
  }
  return { path, unit: 'line', columns: header, rows: good, faults };
}

function isFields(fields: DelimitedRow['fields']): fields is readonly string[] {
  return Array.isArray(fields);
}

function wrongCount(
  found: number,
  separator: string,
  header: readonly string[],
): Pick<RowFault, 'problem' | 'remedy'> {
  return {
    problem: `${found} ${separator}-separated ${found === 1 ? 'field' : 'fields'} where the header has ${header.length}`,
    remedy: `Make the line hold ${header.join(', ')}, with a ${separator} between fields and none inside them`,
  };
}
