import {
  type ConfidenceInterval,
  confidenceInterval,
  metrics,
  summarize,
  type TextTable,
} from '@dynaprompt/benchmarks';

import { canonical } from '../process/hash.js';
import { type SeedDifference, withDifferences } from '../study/difference.js';
import { measureNames, type MeasureLists, measuresOf, measureText } from '../study/measures.js';
import type { OptionValue } from './axes.js';
import type { SweepPlan, SweepRow } from './plan.js';
import { isFailed, isFinished, type JobResult } from './store.js';

/** A method with one setting on one task, over its seeds. */
export interface RowSummary extends Pick<SweepRow, 'task' | 'metric' | 'backbone' | 'method' | 'varied'> {
  /** Seeds that finished; the lists below are in their order. */
  readonly seeds: readonly number[];
  readonly final: readonly number[];
  readonly best: readonly number[];
  readonly keys: readonly string[];
  readonly trainableParameters: number | null;
  readonly mean: number | null;
  readonly std: number | null;
  readonly confidence: ConfidenceInterval | null;
  /** Against the reference with the same setting; null where there are no two seeds in common. */
  readonly difference: SeedDifference | null;
  /** What the task measures besides, by name and in the order of the seeds. */
  readonly measures?: MeasureLists;
}

/** A job that failed. */
export interface JobFailure {
  readonly key: string;
  readonly task: string;
  readonly method: string;
  readonly seed: number;
  readonly varied: Readonly<Record<string, OptionValue>>;
  readonly message: string;
}

/** What `summary.json` holds. */
export interface SweepSummary {
  readonly app: string;
  readonly reference: string;
  readonly jobs: { readonly planned: number; readonly finished: number; readonly failed: number };
  readonly rows: readonly RowSummary[];
  readonly failures: readonly JobFailure[];
}

/** Sums up what is known of the jobs of a plan; a job counts once in a row, however often it was done. */
export function summarizeSweep(
  app: string,
  { rows, jobs, reference }: SweepPlan,
  results: ReadonlyMap<string, JobResult>,
): SweepSummary {
  const known = jobs.flatMap(({ key }) => results.get(key) ?? []);
  const summaries = rows.map((row) => summaryOf(row, results));
  return {
    app,
    reference,
    jobs: {
      planned: jobs.length,
      finished: known.filter(isFinished).length,
      failed: known.filter(isFailed).length,
    },
    rows: groupsOf(summaries).flatMap((group) => compared(group, reference)),
    failures: failuresOf(rows, results),
  };
}

function summaryOf(row: SweepRow, results: ReadonlyMap<string, JobResult>): RowSummary {
  const { task, metric, backbone, method, varied } = row;
  const finished = row.jobs.flatMap(({ key, identity: { seed } }) => {
    const result = results.get(key);
    return result !== undefined && isFinished(result) ? [{ key, seed, outcome: result.outcome }] : [];
  });
  const final = finished.map(({ outcome }) => outcome.final);
  const summary = final.length === 0 ? null : summarize(final);
  const measures = measuresOf(finished.map(({ outcome }) => outcome));
  return {
    task,
    metric,
    backbone,
    method,
    varied,
    seeds: finished.map(({ seed }) => seed),
    final,
    best: finished.map(({ outcome }) => outcome.best),
    keys: finished.map(({ key }) => key),
    trainableParameters: finished[0]?.outcome.trainableParameters ?? null,
    mean: summary?.mean ?? null,
    std: summary?.std ?? null,
    confidence: final.length < 2 ? null : confidenceInterval(final),
    difference: null,
    ...(Object.keys(measures).length > 0 && { measures }),
  };
}

/** Rows that are tested together: those of a task on a backbone. */
function groupsOf(rows: readonly RowSummary[]): readonly (readonly RowSummary[])[] {
  const groups = new Map<string, RowSummary[]>();
  for (const row of rows) {
    const key = canonical([row.task, row.backbone]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** Compares each row with that of the reference with the same setting. */
function compared(rows: readonly RowSummary[], reference: string): readonly RowSummary[] {
  return withDifferences(rows, (row) =>
    rows.find(({ method, varied }) => method === reference && canonical(varied) === canonical(row.varied)),
  );
}

function failuresOf(
  rows: readonly SweepRow[],
  results: ReadonlyMap<string, JobResult>,
): readonly JobFailure[] {
  const failures = new Map<string, JobFailure>();
  for (const { task, method, varied, jobs } of rows) {
    for (const { key, identity } of jobs) {
      const result = results.get(key);
      if (result === undefined || !isFailed(result)) continue;
      const { message } = result.outcome;
      failures.set(key, { key, task, method, seed: identity.seed, varied, message });
    }
  }
  return [...failures.values()];
}

/** The summary as a table, best read in the order of the file. */
export function summaryTable({ rows, reference }: SweepSummary): TextTable {
  const several = new Set(rows.map(({ backbone }) => backbone)).size > 1;
  const measured = measureNames(rows);
  const left = (title: string) => ({ title, align: 'left' as const });
  const right = (title: string) => ({ title, align: 'right' as const });
  return {
    columns: [
      left('task'),
      ...(several ? [left('backbone')] : []),
      left('method'),
      left('setting'),
      right('seeds'),
      right('score'),
      right('95% interval'),
      right(`− ${reference}`),
      right('p (Holm)'),
      ...measured.map(right),
    ],
    rows: rows.map((row) => [
      row.task,
      ...(several ? [row.backbone] : []),
      row.method,
      settingText(row.varied),
      `${row.seeds.length}`,
      row.mean === null
        ? '–'
        : row.std === null
          ? percent(row.mean)
          : `${percent(row.mean)} ± ${percent(row.std)}`,
      intervalText(row),
      row.difference === null ? '–' : signed(row.difference.mean),
      row.difference === null ? '–' : row.difference.adjusted.toFixed(3),
      ...measured.map((name) => measureText(row, name, percent)),
    ]),
  };
}

/** `batch 8, learningRates.prompt 0.01`, or a dash where nothing varies. */
export function settingText(varied: Readonly<Record<string, OptionValue>>): string {
  const parts = Object.entries(varied).map(([name, value]) => `${name} ${String(value)}`);
  return parts.length === 0 ? '–' : parts.join(', ');
}

/** Cut to the scores that are possible. */
function intervalText({ confidence, metric }: RowSummary): string {
  if (confidence === null) return '–';
  const [lowest, highest] = metrics[metric].range;
  return `[${percent(Math.max(lowest, confidence.low))}, ${percent(Math.min(highest, confidence.high))}]`;
}

function percent(share: number): string {
  return (100 * share).toFixed(2);
}

function signed(share: number): string {
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`;
}
