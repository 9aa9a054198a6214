import { ConfigurationError, DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { rowsOf, topClasses } from './confusion.js';
import { type Predictions, requireSameLength } from './metrics.js';

/** Examples whose confidence lies in one interval. */
export interface CalibrationBin {
  /** The interval (above, upTo]. */
  readonly above: number;
  readonly upTo: number;
  readonly count: number;
  /** Share of them that are right; 0 where there are none. */
  readonly accuracy: number;
  /** Their mean confidence; 0 where there are none. */
  readonly confidence: number;
}

/** How far confidence and accuracy are apart. */
export interface Calibration {
  /** Expected calibration error, 0 … 1; less is better. */
  readonly error: number;
  readonly bins: readonly CalibrationBin[];
}

/** Intervals that Guo et al. use. */
const BINS = 15;
/** So much may the probabilities of an example miss 1, as float32 does with many classes. */
const TOLERANCE = 1e-3;

/**
 * Expected calibration error, Σ |Bₘ|/n · |accuracy(Bₘ) − confidence(Bₘ)|, of probabilities [N, classes] (Guo et al. 2017, On
 * Calibration of Modern Neural Networks, equation 3). Confidence is the largest probability of an example; bin m of M holds
 * those in ((m − 1)/M, m/M]. Throws a `DataError` where an example's numbers are no probabilities.
 */
export function calibration(
  probabilities: ArrayLike<number>,
  expected: Predictions,
  classes: number,
  bins: number = BINS,
): Calibration {
  if (!Number.isSafeInteger(bins) || bins < 1) throw notBins(bins);
  requireProbabilities(probabilities, classes);
  const predicted = topClasses(probabilities, classes);
  const count = requireSameLength(predicted, expected);
  const sums = Array.from({ length: bins }, () => ({ count: 0, right: 0, confidence: 0 }));
  for (let row = 0; row < count; row += 1) {
    const label = predicted[row] ?? 0;
    const confidence = probabilities[row * classes + label] ?? 0;
    // Rounding may take a confidence a little above 1.
    const place = sums.findIndex((_, index) => confidence <= (index + 1) / bins);
    const bin = sums.at(place);
    if (bin === undefined) continue;
    bin.count += 1;
    bin.right += Number(label === expected[row]);
    bin.confidence += confidence;
  }
  return {
    error: sums.reduce((total, { right, confidence }) => total + Math.abs(right - confidence), 0) / count,
    bins: sums.map(({ count: size, right, confidence }, index) => ({
      above: index / bins,
      upTo: (index + 1) / bins,
      count: size,
      accuracy: size === 0 ? 0 : right / size,
      confidence: size === 0 ? 0 : confidence / size,
    })),
  };
}

/** The error of {@link calibration} alone. */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  expected: Predictions,
  classes: number,
  bins: number = BINS,
): number {
  return calibration(probabilities, expected, classes, bins).error;
}

function requireProbabilities(values: ArrayLike<number>, classes: number): void {
  const rows = rowsOf(values, classes);
  for (let row = 0; row < rows; row += 1) {
    let sum = 0;
    let lowest = 0;
    for (let label = 0; label < classes; label += 1) {
      const value = values[row * classes + label] ?? Number.NaN;
      sum += value;
      lowest = Math.min(lowest, value);
    }
    if (lowest >= 0 && Math.abs(sum - 1) <= TOLERANCE) continue;
    throw new DataError({
      packageName,
      subject: `probabilities of example ${row + 1}`,
      problem: lowest < 0 ? `one is ${lowest}` : `their sum is ${sum}`,
      remedy: 'Give the softmax of the logits',
    });
  }
}

function notBins(bins: number): ConfigurationError {
  return new ConfigurationError({
    packageName,
    subject: `bins ${bins}`,
    problem: 'this is not a number of intervals',
    remedy: 'Give a whole number of 1 or more, or leave it out for 15',
  });
}
