import type { BadRowPolicy, ColumnNames } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';
import { type ComparisonFlags, comparisonOf, type ComparisonOptions, foldersOf } from '@dynaprompt/runner';
import type { Dtype } from '@dynaprompt/text';

import { packageName } from './package-name.js';

/** What to compare, on which texts. */
export interface GlueOptions extends ComparisonOptions {
  /** A folder for each task whose data is not bundled, in the order of the tasks. */
  readonly data: readonly string[];
  readonly columns: ColumnNames | undefined;
  /** Whether bad rows of data files stop the run, or are left out and counted. */
  readonly badRows: BadRowPolicy;
  /** Most tokens of a text, its prompt not counted. */
  readonly maxLength: number | undefined;
  /** Element type of the backbone's weights: which of its files is opened. Default: fp32. */
  readonly dtype?: Dtype | undefined;
}

/** Values of the options of `run`, as commander hands them over. */
export interface RunFlags extends ComparisonFlags {
  readonly data?: string;
  readonly textColumn?: string;
  readonly pairColumn?: string;
  readonly labelColumn?: string;
  readonly badRows: BadRowPolicy;
  readonly maxLength?: number;
  readonly dtype?: Dtype;
}

/** Puts the flags of `run` together. @throws ConfigurationError where they do not go together. */
export function glueOptionsOf(flags: RunFlags): GlueOptions {
  return {
    ...comparisonOf(flags),
    data: foldersOf(flags.task, flags.data),
    columns: columnsOf(flags),
    badRows: flags.badRows,
    maxLength: flags.maxLength,
    dtype: flags.dtype,
  };
}

function columnsOf({ textColumn, pairColumn, labelColumn }: RunFlags): ColumnNames | undefined {
  if (textColumn === undefined && labelColumn === undefined && pairColumn === undefined) return undefined;
  if (textColumn === undefined || labelColumn === undefined) {
    throw new ConfigurationError({
      packageName,
      subject: textColumn === undefined ? '--text-column' : '--label-column',
      problem: 'it is missing where other columns are named',
      remedy: 'Name both --text-column and --label-column, and --pair-column for pairs of texts',
    });
  }
  return { text: textColumn, label: labelColumn, ...(pairColumn === undefined ? {} : { pair: pairColumn }) };
}
