import { nullThrows } from '@dynaprompt/core';
import { type ConfusionMatrix, recallsOf } from '../metrics/confusion.js';
import { confidenceInterval, summarize } from '../statistics/summary.js';
import type { LearningCurve, MethodResult, SkippedStepResult, UsagePoint, UsageResult } from './schema.js';

/** What one run of a method with one seed left behind. */
export interface SeedRun extends LearningCurve {
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** What was chosen, one for each task. */
  readonly usage?: readonly Omit<UsageResult, 'seed'>[];
  /** The same after every evaluation. */
  readonly usageOverTraining?: readonly Omit<UsagePoint, 'seed'>[];
  /** Steps without an update. */
  readonly skipped?: readonly Omit<SkippedStepResult, 'seed'>[];
  /** Counts after the last step. */
  readonly confusion?: ConfusionMatrix;
  /** Beside the score, after the last step; the same ones in every run. */
  readonly measures?: Readonly<Record<string, number>>;
  /** Last score of every task, where there are several. */
  readonly tasks?: Readonly<Record<string, number>>;
}

/** Sums up the runs of a method: the last and the best validation score of each seed, mean, spread and interval. */
export function methodResult(runs: readonly SeedRun[], trainableParameters: number): MethodResult {
  const scores = runs.map((run) => run.validation.map((point) => point.value));
  const final = scores.map((values) => nullThrows(values.at(-1), 'every run ends with a validation'));
  const { mean, std } = summarize(final);
  const usage = runs.flatMap(({ seed, usage: chosen = [] }) => chosen.map((part) => ({ seed, ...part })));
  const overTraining = runs.flatMap(({ seed, usageOverTraining: points = [] }) =>
    points.map((point) => ({ seed, ...point })),
  );
  const skipped = runs.flatMap(({ seed, skipped: steps = [] }) => steps.map((step) => ({ seed, ...step })));
  const tasks = tasksOf(runs);
  const confusion = sumOf(runs.flatMap((run) => (run.confusion === undefined ? [] : [run.confusion])));
  return {
    seeds: runs.map((run) => run.seed),
    final,
    best: scores.map((values) => Math.max(...values)),
    mean,
    std,
    confidence: confidenceInterval(final),
    trainableParameters,
    seconds: runs.map((run) => run.seconds),
    curves: runs.map(({ seed, loss, validation }) => ({ seed, loss, validation })),
    ...(usage.length === 0 ? {} : { usage }),
    ...(overTraining.length === 0 ? {} : { usageOverTraining: overTraining }),
    ...(skipped.length === 0 ? {} : { skipped }),
    ...(confusion === undefined ? {} : { confusion, perClass: recallsOf(confusion) }),
    ...(runs[0]?.measures === undefined ? {} : { measures: measuresOf(runs, runs[0].measures) }),
    ...(tasks === undefined ? {} : { tasks }),
  };
}

/** Matrices of one size added up. */
function sumOf(matrices: readonly ConfusionMatrix[]): ConfusionMatrix | undefined {
  return matrices[0]?.map((row, label) =>
    row.map((_, said) => matrices.reduce((sum, matrix) => sum + (matrix[label]?.[said] ?? 0), 0)),
  );
}

/** Values of each measure over the seeds. */
function measuresOf(
  runs: readonly SeedRun[],
  names: Readonly<Record<string, number>>,
): NonNullable<MethodResult['measures']> {
  const valueOf = (run: SeedRun, name: string) =>
    nullThrows(run.measures?.[name], 'every run has every measure');
  return Object.fromEntries(Object.keys(names).map((name) => [name, runs.map((run) => valueOf(run, name))]));
}

/** Scores of each task over the seeds. */
function tasksOf(runs: readonly SeedRun[]): MethodResult['tasks'] {
  const names = Object.keys(runs[0]?.tasks ?? {});
  if (names.length === 0) return undefined;
  return Object.fromEntries(
    names.map((name) => {
      const final = runs.map(({ tasks }) => nullThrows(tasks?.[name], 'every run scores every task'));
      const { mean, std } = summarize(final);
      return [name, { final, mean, std }];
    }),
  );
}
