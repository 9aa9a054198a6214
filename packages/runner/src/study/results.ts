import {
  type ConfidenceInterval,
  confidenceInterval,
  type MetricName,
  summarize,
} from '@dynaprompt/benchmarks';
import type { LearningRates } from '@dynaprompt/training';

import { type SeedDifference, withDifferences } from './difference.js';
import { type MeasureLists, measuresOf } from './measures.js';
import type { StudyOptions } from './options.js';
import { describeRates } from './rates.js';
import { type Cell, choose, type Finished, type KeyedRun, type Outcome } from './run-plan.js';

/** The method that others are compared with. */
export const reference = 'fixed';

/** A task as the study saw it. */
export interface StudyTask {
  readonly name: string;
  readonly description: string;
  readonly metric: MetricName;
  readonly labels: readonly string[];
  readonly train: number;
  readonly validation: number;
  /** Score of always saying the most frequent training class. */
  readonly majority: number;
  /** SHA-256 of the examples. */
  readonly fingerprint: string;
}

/** A run that failed. */
export interface StudyFailure {
  readonly phase: 'tuning' | 'final';
  readonly seed: number;
  readonly rates: string;
  readonly message: string;
}

/** A row of a table. */
export interface StudyRow {
  readonly method: string;
  readonly penalty: number | null;
  /** Null where every setting failed. */
  readonly rates: LearningRates | null;
  readonly ratesText: string;
  /** What was tried: mean score over the tuning seeds, null where a run failed. */
  readonly tried: readonly { readonly rates: string; readonly score: number | null }[];
  readonly trainableParameters: number | null;
  /** Seeds that finished; the lists below are in their order. */
  readonly seeds: readonly number[];
  readonly final: readonly number[];
  readonly best: readonly number[];
  readonly seconds: readonly number[];
  readonly mean: number | null;
  readonly std: number | null;
  readonly confidence: ConfidenceInterval | null;
  /** Against the reference; null where there are no two seeds in common. */
  readonly difference: SeedDifference | null;
  /** Mean active tokens over examples and seeds; null where the length is not learned. */
  readonly meanLength: number | null;
  /** [C] and [l + 1], sums over the seeds; null where not learned. */
  readonly positions: readonly number[] | null;
  readonly lengths: readonly number[] | null;
  readonly failures: readonly StudyFailure[];
  /** What the task measures besides, by name and in the order of the seeds. */
  readonly measures?: MeasureLists;
}

/** What the JSON file holds. */
export interface StudyResults {
  /** Name of the application with `-study` behind it. */
  readonly app: string;
  readonly command: string;
  readonly configuration: StudyOptions;
  readonly backbone: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly machines: readonly string[];
  readonly tasks: readonly {
    readonly task: StudyTask;
    readonly methods: readonly StudyRow[];
    readonly penalties: readonly StudyRow[];
  }[];
}

/** Sums up all rows, task by task. */
export function tablesOf(
  tasks: readonly StudyTask[],
  cells: readonly Cell[],
  outcomes: ReadonlyMap<string, Outcome>,
): StudyResults['tasks'] {
  return tasks.map((task) => {
    const rows = cells.filter((cell) => cell.task === task.name).map((cell) => rowOf(cell, outcomes));
    const methods = rows.filter(({ penalty }) => penalty === null);
    const fixed = methods.find(({ method }) => method === reference);
    return {
      task,
      methods: withDifferences(methods, () => fixed),
      penalties: rows.filter(({ penalty }) => penalty !== null),
    };
  });
}

function rowOf(cell: Cell, outcomes: ReadonlyMap<string, Outcome>): StudyRow {
  const choice = choose(cell, outcomes);
  const candidate = choice.state === 'chosen' ? choice.candidate : undefined;
  const finals = candidate === undefined ? [] : (cell.finals[candidate] ?? []);
  const finished = finals.flatMap(({ key, run }) => {
    const outcome = outcomes.get(key);
    return outcome?.ok === true ? [{ seed: run.seed, outcome }] : [];
  });
  const runs = finished.map(({ outcome }) => outcome);
  const final = runs.map((run) => run.final);
  const summary = final.length === 0 ? null : summarize(final);
  const rates = candidate === undefined ? null : (cell.candidates[candidate] ?? null);
  const lengths = sumOf(runs, ({ lengths: counts }) => counts);
  const measures = measuresOf(runs);
  return {
    method: cell.method,
    penalty: cell.penalty,
    rates,
    ratesText: rates === null ? '–' : describeRates(cell.kind, rates),
    tried:
      choice.state === 'chosen'
        ? choice.scores.map((score, index) => {
            const tried = cell.candidates[index];
            return { rates: tried === undefined ? '–' : describeRates(cell.kind, tried), score };
          })
        : [],
    trainableParameters: runs[0]?.trainableParameters ?? null,
    seeds: finished.map(({ seed }) => seed),
    final,
    best: runs.map(({ best }) => best),
    seconds: runs.map(({ seconds }) => seconds),
    mean: summary?.mean ?? null,
    std: summary?.std ?? null,
    confidence: final.length < 2 ? null : confidenceInterval(final),
    difference: null,
    meanLength: lengths === null ? null : meanIndex(lengths),
    positions: sumOf(runs, ({ positions }) => positions),
    lengths,
    failures: [...(cell.penalty === null ? cell.tuning.flat() : []), ...finals].flatMap((run) =>
      failureOf(cell, run, outcomes),
    ),
    ...(Object.keys(measures).length > 0 && { measures }),
  };
}

function failureOf(
  cell: Cell,
  { key, run }: KeyedRun,
  outcomes: ReadonlyMap<string, Outcome>,
): StudyFailure[] {
  const outcome = outcomes.get(key);
  if (outcome === undefined || outcome.ok) return [];
  const { phase, seed, rates } = run;
  return [{ phase, seed, rates: describeRates(cell.kind, rates), message: outcome.message }];
}

function sumOf(
  runs: readonly Finished[],
  countsOf: (run: Finished) => readonly number[] | null,
): readonly number[] | null {
  const [first, ...others] = runs.map(countsOf).filter((counts) => counts !== null);
  if (first === undefined) return null;
  return others.reduce((sums, counts) => sums.map((sum, index) => sum + (counts[index] ?? 0)), first);
}

/** Mean of the indices, weighted with their counts. */
function meanIndex(counts: readonly number[]): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total === 0 ? null : counts.reduce((sum, count, index) => sum + index * count, 0) / total;
}
