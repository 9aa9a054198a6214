import type { RunResults } from '../results/schema.js';
import { summarize } from '../statistics/summary.js';
import type { TextTable } from './method-table.js';
import { formatMeanAndStd, formatScore } from './score-format.js';

/** More measures than these are rows, with a column for each method. */
const MOST_COLUMNS = 6;

/** Measures beside the score as hundredths, a column or a row for each; undefined where no method has any. */
export function measuresTable({ methods, baselines = {} }: RunResults): TextTable | undefined {
  const names = [...new Set(Object.values(methods).flatMap(({ measures = {} }) => Object.keys(measures)))];
  if (names.length === 0) return undefined;
  const rows = [
    ...Object.entries(baselines).flatMap(([name, { measures }]) => {
      const values = names.map((measure) => measures[measure]);
      if (values.every((value) => value === undefined)) return [];
      return [[name, ...values.map((value) => (value === undefined ? '–' : formatScore(value)))]];
    }),
    ...Object.entries(methods).map(([method, { measures = {} }]) => [
      method,
      ...names.map((name) => {
        const values = measures[name];
        return values === undefined ? '–' : formatMeanAndStd(summarize(values));
      }),
    ]),
  ];
  const titles = ['method', ...names.map((name) => `${name} × 100`)];
  return names.length > MOST_COLUMNS
    ? aligned(['measure × 100', ...rows.map(([title = '']) => title)], transposed(names, rows))
    : aligned(titles, rows);
}

/** A row for each name, from rows that have a cell for each behind their own name. */
function transposed(
  names: readonly string[],
  rows: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  return names.map((name, index) => [name, ...rows.map((row) => row[index + 1] ?? '')]);
}

function aligned(titles: readonly string[], rows: TextTable['rows']): TextTable {
  return { columns: titles.map((title, place) => ({ title, align: place === 0 ? 'left' : 'right' })), rows };
}

/** Accuracy of every class, a column for each method; undefined where no method has any. */
export function classTable({ methods, data }: RunResults): TextTable | undefined {
  const measured = Object.entries(methods).filter(([, { perClass }]) => perClass !== undefined);
  if (measured.length === 0) return undefined;
  return {
    columns: ['class', ...measured.map(([name]) => name)].map((title, place) => ({
      title,
      align: place === 0 ? 'left' : 'right',
    })),
    rows: data.labels.map((label, index) => [
      label,
      ...measured.map(([, { perClass }]) => {
        const share = perClass?.[index] ?? null;
        return share === null ? '–' : formatScore(share);
      }),
    ]),
  };
}
