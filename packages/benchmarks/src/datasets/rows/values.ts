import { RowProblem } from './faults.js';

/** Stands in parquet rows for bytes that are not UTF-8. */
export const notUtf8 = Symbol('bytes that are not UTF-8');

/** Values of one row or object, by name. */
export type Values = Readonly<Record<string, unknown>>;

/** Text of a column, without surrounding white space. Throws a `RowProblem` where it is missing, empty or no text. */
export function textOf(values: Values, column: string): string {
  return rawTextOf(values, column).trim();
}

/** The same as it stands, for texts that positions refer to. */
export function rawTextOf(values: Values, column: string): string {
  const value = valueOf(values, column);
  if (value === notUtf8) throw new RowProblem(`column "${column}" is not UTF-8`, 'Convert the text to UTF-8');
  if (typeof value !== 'string') {
    throw new RowProblem(
      `column "${column}" is ${shown(value)}, not a text`,
      'Correct it or name another column',
    );
  }
  if (value.trim() !== '') return value;
  throw new RowProblem(`column "${column}" is empty`, 'Fill in the text or take the line out');
}

/** A whole number of 0 or more. */
export function indexOf(values: Values, column: string): number {
  const value = valueOf(values, column);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RowProblem(`"${column}" is ${shown(value)}, not a whole number of 0 or more`, 'Correct it');
}

/** An object inside a row. */
export function objectOf(values: Values, column: string): Values {
  return asObject(valueOf(values, column), column);
}

/** A list inside a row. */
export function listOf(values: Values, column: string): readonly unknown[] {
  const value = valueOf(values, column);
  if (Array.isArray(value)) return value;
  throw new RowProblem(`"${column}" is ${shown(value)}, not a list`, 'Correct it');
}

/** A list of objects inside a row. */
export function objectsOf(values: Values, column: string): readonly Values[] {
  return listOf(values, column).map((item) => asObject(item, column));
}

/** A value in quotation marks, cut where it is long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `"${text.slice(0, 40)}…"` : `"${text}"`;
}

function asObject(value: unknown, column: string): Values {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values;
  throw new RowProblem(`"${column}" is ${shown(value)}, not an object`, 'Correct it');
}

function valueOf(values: Values, column: string): unknown {
  const value = values[column];
  if (value !== undefined && value !== null) return value;
  throw new RowProblem(`there is no "${column}"`, 'Fill it in or take the line out');
}
