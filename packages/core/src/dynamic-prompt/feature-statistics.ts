import { DataError } from '../errors.js';

/** Fixed statistics of instance features; part of what a checkpoint has to remember. */
export interface FeatureStatistics {
  /** [d] */
  readonly mean: Float32Array;
  /** [d] standard deviation; 0 for a feature that never varies. */
  readonly std: Float32Array;
}

/** Below this deviation a feature is constant and carries nothing. */
const smallestDeviation = 1e-8;

/**
 * Mean and standard deviation of every feature over [count, width] features, population form.
 *
 * @throws DataError when there are no features or a value is not finite.
 */
export function featureStatistics(features: Float32Array, width: number): FeatureStatistics {
  const count = features.length / width;
  if (!Number.isInteger(count) || count === 0) {
    throw unusable(`${features.length} values are not a positive multiple of width ${width}`);
  }
  requireFinite(features);
  const mean = new Float64Array(width);
  features.forEach((value, index) => {
    mean[index % width] = (mean[index % width] ?? 0) + value / count;
  });
  const variance = new Float64Array(width);
  features.forEach((value, index) => {
    const column = index % width;
    variance[column] = (variance[column] ?? 0) + (value - (mean[column] ?? 0)) ** 2 / count;
  });
  return { mean: Float32Array.from(mean), std: Float32Array.from(variance, Math.sqrt) };
}

/**
 * h′ = (h − mean) / (std · √d), [B, d]: features of equal spread whose expected squared norm is 1. Hidden states of BERT-like
 * models have a few dimensions that are a hundred times larger than the rest and nearly the same for all inputs;
 * unstandardised, those alone decide every logit W h + b.
 */
export function standardise(features: Float32Array, statistics: FeatureStatistics): Float32Array {
  const { mean } = statistics;
  const width = mean.length;
  const scale = featureScale(statistics);
  return features.map((value, index) => {
    const column = index % width;
    return (value - (mean[column] ?? 0)) * (scale[column] ?? 0);
  });
}

/** [d] 1 / (std · √d), the factor of `standardise`; 0 for a feature that never varies. */
export function featureScale({ std }: FeatureStatistics): Float32Array {
  return Float32Array.from(std, (deviation) =>
    deviation < smallestDeviation ? 0 : 1 / (deviation * Math.sqrt(std.length)),
  );
}

/** Throws a {@link DataError} that names the first value that is not finite. */
export function requireFinite(features: Float32Array): void {
  const index = features.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw unusable(`value ${index} is ${String(features[index])}`);
}

function unusable(problem: string): DataError {
  return new DataError({
    packageName: '@dynaprompt/core',
    subject: 'instance features',
    problem,
    remedy: 'Pass [B, d] features of the frozen backbone and check the model that made them',
  });
}
