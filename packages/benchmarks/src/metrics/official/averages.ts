import { ConfigurationError } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';

/** Tasks that GLUE averages; MNLI counts once, with the mean of both validation sets. AX stays out. */
const GLUE = [
  ['cola'],
  ['sst2'],
  ['mrpc'],
  ['stsb'],
  ['qqp'],
  ['mnli', 'mnli-mm'],
  ['qnli'],
  ['rte'],
  ['wnli'],
] as const;

/** Tasks that SuperGLUE averages; the diagnostic sets stay out. */
const SUPER_GLUE = [
  ['boolq'],
  ['cb'],
  ['copa'],
  ['multirc'],
  ['record'],
  ['superglue-rte'],
  ['wic'],
  ['wsc'],
] as const;

/** Scores by name of the task. */
export type ScoresByTask = Readonly<Partial<Record<string, number>>>;

/** GLUE's score: the mean over its nine tasks of their scores. Throws a `ConfigurationError` that names missing tasks. */
export function glueAverage(scores: ScoresByTask): number {
  return average('GLUE', GLUE, scores);
}

/** SuperGLUE's score: the mean over its eight tasks of their scores. Throws a `ConfigurationError` that names missing tasks. */
export function superGlueAverage(scores: ScoresByTask): number {
  return average('SuperGLUE', SUPER_GLUE, scores);
}

function average(benchmark: string, parts: readonly (readonly string[])[], scores: ScoresByTask): number {
  const missing = parts.flat().filter((task) => scores[task] === undefined);
  if (missing.length > 0) {
    throw new ConfigurationError({
      packageName,
      subject: `average of ${benchmark}`,
      problem: `there is no score of ${missing.join(', ')}`,
      remedy: 'An average is comparable over all tasks only; score those too, or report single tasks',
    });
  }
  return mean(parts.map((tasks) => mean(tasks.map((task) => scores[task] ?? Number.NaN))));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
