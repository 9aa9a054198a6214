import { ConfigurationError, DataError } from '@dynaprompt/core';
import { quantileSorted } from 'simple-statistics';
import { packageName } from '../package-name.js';
import { integerStream } from '../random.js';
import type { ConfidenceInterval } from './summary.js';

/** How a {@link bootstrapInterval} draws. */
export interface BootstrapOptions {
  readonly seed: number;
  /** 2,000 where absent. */
  readonly resamples?: number;
  /** 0.95 where absent. */
  readonly level?: number;
}

/**
 * Percentile bootstrap interval (Efron 1979) of a statistic of `count` units, such as a score of examples or the difference of two
 * scores on the same ones: the statistic of samples of `count` units drawn with replacement, its middle part.
 *
 * @param statistic of the units at some indices, which stand in a list that is used again.
 */
export function bootstrapInterval(
  count: number,
  statistic: (indices: Int32Array) => number,
  { seed, resamples = 2000, level = 0.95 }: BootstrapOptions,
): ConfidenceInterval {
  if (!Number.isInteger(count) || count < 1) {
    throw new DataError({
      packageName,
      subject: 'units to draw from',
      problem: `there are ${count}`,
      remedy: 'Give at least one example',
    });
  }
  if (!(level > 0 && level < 1) || !Number.isInteger(resamples) || resamples < 1) {
    throw new ConfigurationError({
      packageName,
      subject: `bootstrap of ${resamples} resamples at level ${level}`,
      problem: 'that is no interval',
      remedy: 'Give a whole number of resamples, and a level between 0 and 1',
    });
  }
  const stream = integerStream(seed);
  const indices = new Int32Array(count);
  const values = Array.from({ length: resamples }, () => {
    for (let unit = 0; unit < count; unit += 1) indices[unit] = stream.below(count);
    return statistic(indices);
  }).sort((left, right) => left - right);
  return {
    level,
    low: quantileSorted(values, (1 - level) / 2),
    high: quantileSorted(values, (1 + level) / 2),
  };
}
