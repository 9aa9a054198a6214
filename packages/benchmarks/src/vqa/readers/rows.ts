import {
  type BadRowPolicy,
  badRows,
  type RowFault,
  RowProblem,
  skippedRows,
} from '../../datasets/rows/faults.js';
import { shown, type Values } from '../../datasets/rows/values.js';
import { leftOut } from '../../images/faults.js';
import { jsonItems } from './json-items.js';

/** What readers of questions take. */
export interface VqaReadOptions {
  /**
   * Whether a question that cannot be used (ids that do not match, a missing picture, no text) stops the reading (`fail`, the
   * default) or is left out and counted in `faults`.
   */
  readonly badRows?: BadRowPolicy;
}

/** Makes something of every item of a JSON file, see {@link jsonItems}; what `read` refuses with a `RowProblem` becomes a fault. */
export async function readItems<T>(
  path: string,
  member: string | undefined,
  read: (values: Values, key: string | number, line: number) => T,
  faults: RowFault[],
): Promise<T[]> {
  const result: T[] = [];
  let line = 0;
  for (const { key, value } of await jsonItems(path, member)) {
    line += 1;
    try {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        const problem = value === undefined ? 'this is not JSON' : `${shown(value)} is not an object`;
        throw new RowProblem(problem, 'Fetch the file again, or take the item out');
      }
      result.push(read(value as Values, key, line));
    } catch (cause) {
      faults.push(faultOf(cause, path, line));
    }
  }
  return result;
}

/** A `RowProblem` as the fault of a row; throws every other error on. */
export function faultOf(cause: unknown, path: string, line: number): RowFault {
  if (!(cause instanceof RowProblem)) throw cause;
  return { path, unit: 'row', line, problem: cause.problem, remedy: cause.remedy };
}

/** Throws the first faults where they are to stop the reading; sums them up otherwise. */
export function settled(faults: readonly RowFault[], { badRows: policy = 'fail' }: VqaReadOptions) {
  const [first, ...more] = faults;
  if (first !== undefined && policy === 'fail') throw badRows([first, ...more]);
  return skippedRows(faults) ?? leftOut([]);
}

/** An id, which is a number in some files and a text in others. */
export function idOf(values: Values, column: string): string {
  const value = values[column];
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return `${value as bigint | number}`;
  throw new RowProblem(
    value === undefined || value === null
      ? `there is no "${column}"`
      : `"${column}" is ${shown(value)}, not an id`,
    'Correct it, or take the question out',
  );
}

/** A text that may be missing. */
export function optionalText(values: Values, column: string): string | undefined {
  const value = values[column];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Fields that are there. */
export function present<T extends Readonly<Record<string, unknown>>>(
  fields: T,
): { readonly [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** Answers of people, as they stand there: texts, or objects with `answer`. */
export function answersOf(values: Values, column: string): readonly string[] {
  const list = values[column];
  if (!Array.isArray(list) || list.length === 0) {
    throw new RowProblem(
      list === undefined || list === null
        ? `there is no "${column}"`
        : `"${column}" is ${shown(list)}, not a list of answers`,
      'Correct it, or take the question out',
    );
  }
  return list.map((item: unknown) => {
    const { answer } = typeof item === 'object' && item !== null ? (item as Values) : { answer: item };
    if (typeof answer === 'string') return answer;
    throw new RowProblem(
      `"${column}" holds ${shown(item)}, not an answer`,
      'Correct it, or take the question out',
    );
  });
}

/** Keeps one string for each text: answers repeat by the million. */
export function interner(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const same = known.get(text);
    if (same === undefined) known.set(text, text);
    return same ?? text;
  };
}
