import { DataError } from '@dynaprompt/core';
import type { SkippedRows } from '../datasets/rows/faults.js';
import { packageName } from '../package-name.js';

/** So many of what was left out are named. */
const NAMED = 5;

/** Sums up what was left out, each as `NAME: why`. */
export function leftOut(faults: readonly string[]): SkippedRows {
  return { count: faults.length, first: faults.slice(0, NAMED) };
}

/** An error of a file or folder of pictures. */
export function imageFault(subject: string, problem: string, remedy: string, cause?: unknown): DataError {
  return new DataError({
    packageName,
    subject,
    problem,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}
