import type { RunResults } from '../results/schema.js';
import { summarize } from '../statistics/summary.js';
import type { TextTable } from './method-table.js';
import { formatMeanAndStd, formatScore } from './score-format.js';

/** Measures beside the score as hundredths, a column for each; undefined where no method has any. */
export function measuresTable({ methods }: RunResults): TextTable | undefined {
  const names = [...new Set(Object.values(methods).flatMap(({ measures = {} }) => Object.keys(measures)))];
  if (names.length === 0) return undefined;
  return {
    columns: ['method', ...names.map((name) => `${name} × 100`)].map((title, place) => ({
      title,
      align: place === 0 ? 'left' : 'right',
    })),
    rows: Object.entries(methods).map(([method, { measures = {} }]) => [
      method,
      ...names.map((name) => {
        const values = measures[name];
        return values === undefined ? '–' : formatMeanAndStd(summarize(values));
      }),
    ]),
  };
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
