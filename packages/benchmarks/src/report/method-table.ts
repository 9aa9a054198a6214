import { mean } from 'simple-statistics';
import type { RunResults } from '../results/schema.js';
import {
  formatConfidence,
  formatCount,
  formatMeanAndStd,
  formatScore,
  formatSeconds,
  metricTitle,
} from './score-format.js';

/** A column of a table. */
export interface TableColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** A table of text, to be shown in a terminal or a report. */
export interface TextTable {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly string[])[];
}

/** The comparison of a run's methods, with what answers without a model score in front. */
export function methodTable(results: RunResults): TextTable {
  const { majority, metric } = results;
  const constants: Readonly<Record<string, { readonly score: number }>> = results.baselines ?? {
    [`majority class (${majority.label})`]: majority,
  };
  return {
    columns: [
      { title: 'method', align: 'left' },
      { title: metricTitle(metric), align: 'right' },
      { title: intervalTitle(results), align: 'right' },
      { title: 'best', align: 'right' },
      { title: 'seeds', align: 'right' },
      { title: 'trained', align: 'right' },
      { title: 'time/seed', align: 'right' },
    ],
    rows: [
      ...Object.entries(constants).map(([name, { score }]) => [
        name,
        formatScore(score),
        ...['–', '–', '–', '0', '–'],
      ]),
      ...Object.entries(results.methods).map(([name, method]) => [
        name,
        formatMeanAndStd(method),
        formatConfidence(method, metric),
        formatScore(mean([...method.best])),
        `${method.seeds.length}`,
        formatCount(method.trainableParameters),
        method.seconds.length === 0 ? '–' : formatSeconds(mean([...method.seconds])),
      ]),
    ],
  };
}

/** The scores of a run on several tasks: a row for each task, a column for each method; undefined for a single task. */
export function taskTable({ tasks, methods }: RunResults): TextTable | undefined {
  if (tasks === undefined) return undefined;
  const names = Object.keys(methods);
  const columns = ['task', 'metric', 'training examples', 'majority class', ...names];
  return {
    columns: columns.map((title, place) => ({ title, align: place < 2 ? 'left' : 'right' })),
    rows: Object.entries(tasks).map(([task, { metric, train, majority }]) => [
      task,
      metricTitle(metric),
      formatCount(train),
      formatScore(majority.score),
      ...names.map((name) => {
        const scores = methods[name]?.tasks?.[task];
        return scores === undefined ? '–' : formatMeanAndStd(scores);
      }),
    ]),
  };
}

function intervalTitle({ methods }: RunResults): string {
  const interval = Object.values(methods).find(({ confidence }) => confidence !== null)?.confidence;
  return interval ? `${Number((interval.level * 100).toFixed(2))}% interval` : 'interval';
}

/** A table as plain text: aligned columns, two spaces between them, a rule below the head. */
export function formatTable({ columns, rows }: TextTable): string {
  const widths = columns.map(({ title }, position) =>
    Math.max(lengthOf(title), ...rows.map((row) => lengthOf(row[position] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, position) => {
        const cell = cells[position] ?? '';
        const padding = ' '.repeat((widths[position] ?? 0) - lengthOf(cell));
        return align === 'left' ? cell + padding : padding + cell;
      })
      .join('  ')
      .trimEnd();
  const head = line(columns.map(({ title }) => title));
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [head, rule, ...rows.map(line)].join('\n');
}

/** Code points, not UTF-16 units. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
