import { ConfigurationError, DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { type Predictions, requireSameLength } from './metrics.js';

/** [true class][predicted class]: how often that happened. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Counts every pair of true and predicted class. Throws a `DataError` for an index that is none of the classes. */
export function confusionMatrix(
  predicted: Predictions,
  expected: Predictions,
  classes: number,
): ConfusionMatrix {
  const count = requireSameLength(predicted, expected);
  const matrix = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  for (let index = 0; index < count; index += 1) {
    const row = matrix[classAt(expected, index, classes, 'answers')];
    const column = classAt(predicted, index, classes, 'predictions');
    if (row !== undefined) row[column] = (row[column] ?? 0) + 1;
  }
  return matrix;
}

/** Share of each class's examples that are right (recall); null for a class without examples. */
export function perClassAccuracy(
  predicted: Predictions,
  expected: Predictions,
  classes: number,
): readonly (number | null)[] {
  return recallsOf(confusionMatrix(predicted, expected, classes));
}

/** The same of a matrix that was counted already. */
export function recallsOf(matrix: ConfusionMatrix): readonly (number | null)[] {
  return matrix.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return total === 0 ? null : (row[label] ?? 0) / total;
  });
}

/** The class with the largest of each example's `classes` scores, [N, classes]; the lowest index wins a tie. */
export function topClasses(scores: ArrayLike<number>, classes: number): Int32Array {
  const result = new Int32Array(rowsOf(scores, classes));
  for (let row = 0; row < result.length; row += 1) {
    let best = 0;
    for (let label = 0; label < classes; label += 1) {
      const score = scores[row * classes + label] ?? Number.NaN;
      if (Number.isNaN(score)) throw notANumber(row, label);
      if (score > (scores[row * classes + best] ?? 0)) best = label;
    }
    result[row] = best;
  }
  return result;
}

/** Top-1: share of the examples whose right class has the largest of the scores, [N, classes]. */
export function topOneAccuracy(scores: ArrayLike<number>, expected: Predictions, classes: number): number {
  const predicted = topClasses(scores, classes);
  const count = requireSameLength(predicted, expected);
  return predicted.filter((label, index) => label === expected[index]).length / count;
}

/** Number of examples in scores of [N, classes]. Throws where they cannot be so many. */
export function rowsOf(scores: ArrayLike<number>, classes: number): number {
  const rows = scores.length / classes;
  if (Number.isInteger(rows)) return rows;
  throw new ConfigurationError({
    packageName,
    subject: 'scores',
    problem: `${scores.length} numbers are no whole number of examples with ${classes} classes`,
    remedy: 'Give one score for each class of every example, row by row',
  });
}

function classAt(labels: Predictions, index: number, classes: number, what: string): number {
  const label = labels[index] ?? Number.NaN;
  if (Number.isInteger(label) && label >= 0 && label < classes) return label;
  throw new DataError({
    packageName,
    subject: what,
    problem: `number ${index + 1} is ${label}, and there are ${classes} classes`,
    remedy: 'Give indices of classes, counted from 0',
  });
}

function notANumber(row: number, label: number): DataError {
  return new DataError({
    packageName,
    subject: 'scores',
    problem: `that of class ${label} for example ${row + 1} is not a number`,
    remedy: 'Look for a training that diverged',
  });
}
