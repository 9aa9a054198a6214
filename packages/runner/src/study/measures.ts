import { summarize } from '@dynaprompt/benchmarks';

import type { Finished } from './run-plan.js';

/** Values by name, in the order of the runs. */
export type MeasureLists = Readonly<Record<string, readonly number[]>>;

/** What tasks have measured of runs besides the score. */
export function measuresOf(runs: readonly Finished[]): MeasureLists {
  const lists: Record<string, number[]> = {};
  for (const { measures = {} } of runs) {
    for (const [name, value] of Object.entries(measures)) (lists[name] ??= []).push(value);
  }
  return lists;
}

/** Names of the measures that any row has, in the order in which they appear. */
export function measureNames(
  rows: readonly { readonly measures?: MeasureLists | undefined }[],
): readonly string[] {
  return [...new Set(rows.flatMap(({ measures = {} }) => Object.keys(measures)))];
}

/** Mean and deviation of a measure: `61.20 ± 1.35`; a dash where a row does not have it. */
export function measureText(
  { measures = {} }: { readonly measures?: MeasureLists | undefined },
  name: string,
  percent: (share: number) => string,
): string {
  const values = measures[name] ?? [];
  if (values.length === 0) return '–';
  const { mean, std } = summarize(values);
  return std === null ? percent(mean) : `${percent(mean)} ± ${percent(std)}`;
}
