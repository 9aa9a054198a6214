import { ConfigurationError, DataError } from '@dynaprompt/core';
import { sampleCorrelation } from 'simple-statistics';
import { packageName } from '../package-name.js';
import { averageRanks } from './ranks.js';

/** Names of the metrics that tasks may use. */
export const metricNames = [
  'accuracy',
  'mean-per-class-accuracy',
  'f1',
  'macro-f1',
  'accuracy-f1',
  'accuracy-macro-f1',
  'matthews',
  'pearson',
  'spearman',
  'pearson-spearman',
  'vqa-accuracy',
  'exact-match',
] as const;

/** A metric by name. */
export type MetricName = (typeof metricNames)[number];

/** Class indices, or real-valued scores for the two correlations of a regression. */
export type Predictions = ArrayLike<number>;

/** A score of predictions against the truth; larger is better. */
export interface Metric {
  /** As it stands in a table's head. */
  readonly title: string;
  /** Lowest and highest possible score. */
  readonly range: readonly [number, number];
  /** `credits`: what each prediction earns, 0 … 1, where answers are not just right or wrong; only means of credits read it. */
  readonly score: (predicted: Predictions, expected: Predictions, credits?: Predictions) => number;
}

/** Every metric, by name. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  accuracy: { title: 'accuracy', range: [0, 1], score: accuracy },
  'mean-per-class-accuracy': {
    title: 'mean accuracy of the classes',
    range: [0, 1],
    score: meanPerClassAccuracy,
  },
  f1: { title: 'F1', range: [0, 1], score: positiveF1 },
  'macro-f1': { title: 'macro F1', range: [0, 1], score: macroF1 },
  'accuracy-f1': { title: 'mean of accuracy and F1', range: [0, 1], score: meanOf(accuracy, positiveF1) },
  'accuracy-macro-f1': {
    title: 'mean of accuracy and macro F1',
    range: [0, 1],
    score: meanOf(accuracy, macroF1),
  },
  matthews: { title: 'Matthews correlation', range: [-1, 1], score: matthews },
  pearson: { title: 'Pearson correlation', range: [-1, 1], score: pearson },
  spearman: { title: 'Spearman correlation', range: [-1, 1], score: spearman },
  'pearson-spearman': {
    title: 'mean of Pearson and Spearman correlation',
    range: [-1, 1],
    score: meanOf(pearson, spearman),
  },
  'vqa-accuracy': { title: 'VQA accuracy', range: [0, 1], score: meanCredit },
  'exact-match': { title: 'exact match', range: [0, 1], score: meanCredit },
};

/** The metric of that name; a `ConfigurationError` lists the names where there is none. */
export function metricNamed(name: string): Metric {
  const known = metricNames.find((candidate) => candidate === name);
  if (known !== undefined) return metrics[known];
  throw new ConfigurationError({
    packageName,
    subject: `metric "${name}"`,
    problem: 'there is no metric of that name',
    remedy: `Use one of ${metricNames.join(', ')}`,
  });
}

/** Share of the predictions that are right. */
export function accuracy(predicted: Predictions, expected: Predictions): number {
  const count = requireSameLength(predicted, expected);
  let right = 0;
  for (let index = 0; index < count; index += 1) if (predicted[index] === expected[index]) right += 1;
  return right / count;
}

/** Mean of what the predictions earn; their {@link accuracy} where nothing is said of that. */
export function meanCredit(predicted: Predictions, expected: Predictions, credits?: Predictions): number {
  const count = requireSameLength(predicted, expected);
  if (credits === undefined) return accuracy(predicted, expected);
  requireSameLength(predicted, credits);
  return Array.from(credits).reduce((sum, credit) => sum + credit, 0) / count;
}

/** Mean over the classes that have examples of the share of each one's examples that are right (balanced accuracy). */
export function meanPerClassAccuracy(predicted: Predictions, expected: Predictions): number {
  requireSameLength(predicted, expected);
  const totals = countsOf(expected);
  const right = countsOf(Array.from(expected).filter((label, index) => label === predicted[index]));
  let sum = 0;
  for (const [label, total] of totals) sum += (right.get(label) ?? 0) / total;
  return sum / totals.size;
}

/** 2·TP / (2·TP + FP + FN) of class `positive`; 0 where the class occurs on neither side. */
export function f1(predicted: Predictions, expected: Predictions, positive = 1): number {
  const count = requireSameLength(predicted, expected);
  let both = 0;
  let either = 0;
  for (let index = 0; index < count; index += 1) {
    const said = predicted[index] === positive;
    const is = expected[index] === positive;
    if (said && is) both += 1;
    either += Number(said) + Number(is);
  }
  return either === 0 ? 0 : (2 * both) / either;
}

/** {@link f1} of class 1. */
function positiveF1(predicted: Predictions, expected: Predictions): number {
  return f1(predicted, expected);
}

/** Mean of the {@link f1} of every class that occurs on either side. */
export function macroF1(predicted: Predictions, expected: Predictions): number {
  requireSameLength(predicted, expected);
  const classes = new Set([...Array.from(predicted), ...Array.from(expected)]);
  let total = 0;
  for (const label of classes) total += f1(predicted, expected, label);
  return total / classes.size;
}

/**
 * Matthews correlation for two or more classes: the covariance of the one-hot labels over the root of both variances,
 * (c·n − Σ pₖtₖ) / √((n² − Σ pₖ²)(n² − Σ tₖ²)) with c right answers of n, and pₖ, tₖ the times class k was said and was
 * true. 0 where either side holds one class only.
 */
export function matthews(predicted: Predictions, expected: Predictions): number {
  const count = requireSameLength(predicted, expected);
  const right = accuracy(predicted, expected) * count;
  const said = countsOf(predicted);
  const truth = countsOf(expected);
  let agreement = 0;
  for (const [label, times] of said) agreement += times * (truth.get(label) ?? 0);
  const spread = (count ** 2 - squares(said)) * (count ** 2 - squares(truth));
  return spread === 0 ? 0 : (right * count - agreement) / Math.sqrt(spread);
}

/** Pearson's correlation; 0 where either side is constant. */
export function pearson(predicted: Predictions, expected: Predictions): number {
  requireSameLength(predicted, expected);
  return isConstant(predicted) || isConstant(expected)
    ? 0
    : sampleCorrelation(Array.from(predicted), Array.from(expected));
}

/** Spearman's correlation: {@link pearson} of the ranks, ties having the mean of their ranks. */
export function spearman(predicted: Predictions, expected: Predictions): number {
  return pearson(averageRanks(predicted), averageRanks(expected));
}

/** The mean of two scores, as benchmarks sum up a task that has two. */
function meanOf(first: Metric['score'], second: Metric['score']): Metric['score'] {
  return (predicted, expected) => (first(predicted, expected) + second(predicted, expected)) / 2;
}

function countsOf(labels: Predictions): Map<number, number> {
  const counts = new Map<number, number>();
  for (const label of Array.from(labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

function squares(counts: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count ** 2;
  return total;
}

function isConstant(values: Predictions): boolean {
  return Array.from(values).every((value) => value === values[0]);
}

/** The number of answers. Throws a `DataError` where there are none, or not as many predictions. */
export function requireSameLength(predicted: Predictions, expected: ArrayLike<unknown>): number {
  if (predicted.length === expected.length && expected.length > 0) return expected.length;
  throw new DataError({
    packageName,
    subject: 'predictions',
    problem: `${predicted.length} predictions for ${expected.length} answers`,
    remedy: 'Give one prediction for every example, and at least one example',
  });
}
