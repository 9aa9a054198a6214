import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import { bootstrapInterval } from './bootstrap.js';

const values = [0.1, 0.35, 0.4, 0.9, 1.7];
const meanAt = (indices: ArrayLike<number>) =>
  Array.from(indices, (index) => values[index] ?? NaN).reduce((sum, value) => sum + value, 0) /
  indices.length;

describe('bootstrapInterval', () => {
  it('comes close to the distribution of all resamples that there are', () => {
    const every = Array.from({ length: 5 ** 5 }, (_, code) =>
      meanAt([0, 1, 2, 3, 4].map((place) => Math.floor(code / 5 ** place) % 5)),
    );
    const { low, high } = bootstrapInterval(5, meanAt, { seed: 3, resamples: 20_000 });
    const below = (limit: number) => every.filter((mean) => mean < limit - 1e-9).length / every.length;
    const upTo = (limit: number) => every.filter((mean) => mean <= limit + 1e-9).length / every.length;
    // Three standard errors of a share of 0.025 in 20,000 draws are 0.0033.
    expect(below(low)).toBeLessThanOrEqual(0.025 + 0.0033);
    expect(upTo(low)).toBeGreaterThanOrEqual(0.025 - 0.0033);
    expect(below(high)).toBeLessThanOrEqual(0.975 + 0.0033);
    expect(upTo(high)).toBeGreaterThanOrEqual(0.975 - 0.0033);
  });

  it('is the same for the same seed, and narrower at a lower level', () => {
    const wide = bootstrapInterval(5, meanAt, { seed: 3 });
    expect(bootstrapInterval(5, meanAt, { seed: 3 })).toEqual(wide);
    expect(bootstrapInterval(5, meanAt, { seed: 4 })).not.toEqual(wide);
    const narrow = bootstrapInterval(5, meanAt, { seed: 3, level: 0.5 });
    expect(narrow.low).toBeGreaterThan(wide.low);
    expect(narrow.high).toBeLessThan(wide.high);
    expect(bootstrapInterval(5, () => 0.3, { seed: 1 })).toEqual({ level: 0.95, low: 0.3, high: 0.3 });
  });

  it('refuses what gives no interval', () => {
    expect(() => bootstrapInterval(0, meanAt, { seed: 1 })).toThrow(DataError);
    expect(() => bootstrapInterval(5, meanAt, { seed: 1, level: 95 })).toThrow(ConfigurationError);
    expect(() => bootstrapInterval(5, meanAt, { seed: 1, resamples: 0 })).toThrow(ConfigurationError);
  });
});
