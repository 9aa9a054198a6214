import { ConfigurationError, DataError } from '@dynaprompt/core';
import { mean, sampleStandardDeviation } from 'simple-statistics';
import studentQuantile from '@stdlib/stats-base-dists-t-quantile';
import { packageName } from '../package-name.js';

/** Mean and spread of repeated measurements. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation (divides by n − 1); null for a single measurement. */
  readonly std: number | null;
}

/** Where the mean of the population lies, at a confidence level. */
export interface ConfidenceInterval {
  /** For example 0.95. */
  readonly level: number;
  readonly low: number;
  readonly high: number;
}

/** Mean and sample standard deviation of one or more values. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) {
    throw new DataError({
      packageName,
      subject: 'measurements',
      problem: 'there are none to summarise',
      remedy: 'Run at least one seed',
    });
  }
  return {
    count: values.length,
    mean: mean([...values]),
    std: values.length > 1 ? sampleStandardDeviation([...values]) : null,
  };
}

/**
 * Student's interval for the mean, mean ± t(n − 1)·std/√n. Null for fewer than two values, which say nothing about spread.
 */
export function confidenceInterval(values: readonly number[], level = 0.95): ConfidenceInterval | null {
  if (!(level > 0 && level < 1)) {
    throw new ConfigurationError({
      packageName,
      subject: `confidence level ${level}`,
      problem: 'it does not lie between 0 and 1',
      remedy: 'Give a level such as 0.95',
    });
  }
  const { count, mean: centre, std } = summarize(values);
  if (std === null) return null;
  const reach = (studentQuantile((1 + level) / 2, count - 1) * std) / Math.sqrt(count);
  return { level, low: centre - reach, high: centre + reach };
}
