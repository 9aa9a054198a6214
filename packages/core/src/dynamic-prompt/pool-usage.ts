import { ConfigurationError, DataError } from '../errors.js';

/** How a pool of m entries was used, over all examples seen. */
export interface PoolUsageReport {
  /** N, examples seen. */
  readonly examples: number;
  /** [m] examples whose largest weight is that of the entry; a tie counts for the first. */
  readonly top: readonly number[];
  /** [m] mean weight w̄; zeros where no example was seen. */
  readonly meanWeights: readonly number[];
  /** H(w̄) = −Σ w̄_i log w̄_i, nats: log m where all entries are used alike, 0 where one is used alone. */
  readonly entropy: number;
  /** Mean of H(w) over the examples, nats: 0 where every example takes one entry, log m where it mixes all alike. */
  readonly exampleEntropy: number;
}

/** Collects the mixtures that plans report, for the health of a pool. */
export interface PoolUsage {
  /**
   * Takes in the weights of a batch, `choices.weights` [B, m].
   *
   * @throws DataError when they are not rows of m finite numbers; nothing is taken in then.
   */
  add(weights: Float32Array): void;
  /** What was taken in so far; zeros before the first batch. */
  report(): PoolUsageReport;
}

/**
 * Starts a collection for a pool of m entries.
 *
 * @throws ConfigurationError when `entries` counts nothing.
 */
export function createPoolUsage(entries: number): PoolUsage {
  if (!Number.isInteger(entries) || entries < 1) {
    throw new ConfigurationError({
      packageName: '@dynaprompt/core',
      subject: 'pool usage',
      problem: `${entries} is not a number of entries`,
      remedy: "Pass the configuration's representation.pool",
    });
  }
  const top = new Array<number>(entries).fill(0);
  const sums = new Float64Array(entries);
  let [examples, entropies] = [0, 0];
  return {
    add(weights) {
      checkWeights(weights, entries);
      for (let start = 0; start < weights.length; start += entries) {
        const row = weights.subarray(start, start + entries);
        const best = row.indexOf(Math.max(...row));
        top[best] = (top[best] ?? 0) + 1;
        row.forEach((weight, entry) => {
          sums[entry] = (sums[entry] ?? 0) + weight;
        });
        examples += 1;
        entropies += entropyOf(row);
      }
    },
    report() {
      const meanWeights = Array.from(sums, (sum) => sum / Math.max(examples, 1));
      return {
        examples,
        top: [...top],
        meanWeights,
        entropy: entropyOf(meanWeights),
        exampleEntropy: entropies / Math.max(examples, 1),
      };
    },
  };
}

function entropyOf(weights: Iterable<number>): number {
  let entropy = 0;
  for (const weight of weights) if (weight > 0) entropy -= weight * Math.log(weight);
  return entropy;
}

function checkWeights(weights: Float32Array, entries: number): void {
  const sound = weights.length % entries === 0 && weights.every((weight) => Number.isFinite(weight));
  if (sound) return;
  throw new DataError({
    packageName: '@dynaprompt/core',
    subject: 'pool usage, weights',
    problem: `${weights.length} values are not finite rows of ${entries}`,
    remedy: 'Pass choices.weights of a plan with this pool',
  });
}
