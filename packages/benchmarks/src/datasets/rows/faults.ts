import { DataError } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';

/** A row that cannot be used. */
export interface RowFault {
  readonly path: string;
  readonly unit: 'line' | 'row';
  readonly line: number;
  readonly problem: string;
  readonly remedy: string;
}

/** What is done with bad rows: `fail` refuses the file, `skip` leaves them out and says so in the data set. */
export type BadRowPolicy = 'fail' | 'skip';

/** Rows that were left out. */
export interface SkippedRows {
  readonly count: number;
  /** The first few: `PATH line 7: why`. */
  readonly first: readonly string[];
}

/** So many bad rows are named. */
const NAMED = 5;

/** Thrown by row readers; becomes a {@link RowFault} where file and line are known. */
export class RowProblem extends Error {
  constructor(
    readonly problem: string,
    readonly remedy: string,
  ) {
    super(problem);
  }
}

/** Sums up what was left out; undefined where nothing was. */
export function skippedRows(faults: readonly RowFault[]): SkippedRows | undefined {
  if (faults.length === 0) return undefined;
  return { count: faults.length, first: faults.slice(0, NAMED).map(describe) };
}

/** The error of a file with bad rows: the first one in full, the next few by line. */
export function badRows([first, ...more]: readonly [RowFault, ...RowFault[]]): DataError {
  const others = more.slice(0, NAMED - 1).map(({ line, problem }) => `${line} (${problem})`);
  const rest = more.length >= NAMED ? ' and more' : '';
  return new DataError({
    packageName,
    subject: `${first.path} ${first.unit} ${first.line}`,
    problem: first.problem,
    remedy:
      more.length === 0
        ? first.remedy
        : `${first.remedy}. ${more.length + 1} rows are bad; the next: ${others.join(', ')}${rest}`,
  });
}

function describe({ path, unit, line, problem }: RowFault): string {
  return `${path} ${unit} ${line}: ${problem}`;
}
