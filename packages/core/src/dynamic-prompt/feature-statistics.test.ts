import { describe, expect, it } from '@jest/globals';
import { DataError } from '../errors.js';
import { stream } from '../random/stream.js';
import { featureStatistics, standardise } from './feature-statistics.js';

describe('feature statistics', () => {
  it('measures mean and deviation of every feature', () => {
    const { mean, std } = featureStatistics(Float32Array.of(1, 10, 5, 3, 10, 5), 3);
    expect([...mean]).toEqual([2, 10, 5]);
    expect([...std]).toEqual([1, 0, 0]);
  });

  it('makes features with an outlier dimension equal, centred and of unit expected norm', () => {
    const random = stream(1, 'features');
    const [count, width] = [400, 16];
    const features = new Float32Array(count * width).map((_, index) =>
      index % width === 3 ? 300 + 20 * random.normal() : random.normal(),
    );
    const standard = standardise(features, featureStatistics(features, width));
    const squares = new Float64Array(width);
    const sums = new Float64Array(width);
    standard.forEach((value, index) => {
      squares[index % width] = (squares[index % width] ?? 0) + value ** 2 / count;
      sums[index % width] = (sums[index % width] ?? 0) + value / count;
    });
    for (const square of squares) expect(square).toBeCloseTo(1 / width, 4);
    for (const sum of sums) expect(sum).toBeCloseTo(0, 4);
  });

  it('drops a feature that never varied', () => {
    const statistics = { mean: Float32Array.of(1, 1), std: Float32Array.of(0, 2) };
    const standard = standardise(Float32Array.of(5, 5), statistics);
    expect(standard[0]).toBe(0);
    expect(standard[1]).toBeCloseTo(2 / Math.SQRT2, 6);
  });

  it('refuses features that cannot be measured', () => {
    expect(() => featureStatistics(new Float32Array(0), 3)).toThrow(DataError);
    expect(() => featureStatistics(new Float32Array(4), 3)).toThrow(/multiple of width 3/);
    expect(() => featureStatistics(Float32Array.of(1, NaN), 2)).toThrow(/value 1 is NaN/);
  });
});
