import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { confidenceInterval, summarize } from './summary.js';

// Expected values: numpy.mean, numpy.std(ddof=1) and scipy.stats.t.interval(level, n − 1, mean, sem).

describe('summarize', () => {
  it('gives mean and sample standard deviation', () => {
    const { count, mean, std } = summarize([0.912, 0.897, 0.925]);
    expect(count).toBe(3);
    expect(mean).toBeCloseTo(0.9113333333333333, 14);
    expect(std).toBeCloseTo(0.014011899704655814, 14);
  });

  it('has no deviation for a single value', () => {
    expect(summarize([0.5])).toEqual({ count: 1, mean: 0.5, std: null });
  });

  it('refuses an empty list', () => {
    expect(() => summarize([])).toThrow(DataError);
  });
});

describe('confidenceInterval', () => {
  it('agrees with scipy', () => {
    const interval = confidenceInterval([0.912, 0.897, 0.925]);
    expect(interval?.low).toBeCloseTo(0.8765258448637345, 12);
    expect(interval?.high).toBeCloseTo(0.9461408218029321, 12);
  });

  it('agrees with scipy for two values and another level', () => {
    expect(confidenceInterval([0.84, 0.86])?.low).toBeCloseTo(0.7229379526382529, 12);
    expect(confidenceInterval([0.84, 0.86], 0.8)?.high).toBeCloseTo(0.8807768353717526, 12);
  });

  it('is null for one value and refuses a level that is none', () => {
    expect(confidenceInterval([0.9])).toBeNull();
    expect(() => confidenceInterval([0.9, 0.8], 95)).toThrow(ConfigurationError);
  });
});
