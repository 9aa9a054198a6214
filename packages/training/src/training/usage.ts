import type { PlanChoices } from '@dynaprompt/core';

import type { ChoiceSpace } from './learner.js';

/** How the entries of a pool are used. */
export interface PoolUsage {
  /** [m] share of the examples whose largest weight an entry has; sums to 1. */
  readonly topShare: readonly number[];
  /** [m] mean weight of an entry; sums to 1. */
  readonly meanWeight: readonly number[];
}

/** What was chosen over a set of examples; undefined where a factor is not learned. */
export interface ChoiceUsage {
  /** [C] examples for which each position candidate was chosen. */
  readonly positions: readonly number[] | undefined;
  /** [l + 1] examples for which each length was chosen. */
  readonly lengths: readonly number[] | undefined;
  readonly pool: PoolUsage | undefined;
}

/** Counts choices, batch by batch; undefined where there is nothing to choose. */
export function usageOf(
  space: ChoiceSpace | undefined,
  batches: readonly PlanChoices[],
): ChoiceUsage | undefined {
  if (space === undefined) return undefined;
  const { positions, lengths, pool } = space;
  if (positions === undefined && lengths === undefined && pool === undefined) return undefined;
  return {
    positions: positions === undefined ? undefined : counts(positions, batches, ({ position }) => position),
    lengths: lengths === undefined ? undefined : counts(lengths, batches, ({ length }) => length),
    pool: pool === undefined ? undefined : poolUsage(pool, batches),
  };
}

function counts(
  size: number,
  batches: readonly PlanChoices[],
  chosen: (choices: PlanChoices) => Int32Array,
): readonly number[] {
  const totals = new Array<number>(size).fill(0);
  for (const choices of batches) {
    for (const choice of chosen(choices)) totals[choice] = (totals[choice] ?? 0) + 1;
  }
  return totals;
}

function poolUsage(entries: number, batches: readonly PlanChoices[]): PoolUsage {
  const tops = new Array<number>(entries).fill(0);
  const sums = new Array<number>(entries).fill(0);
  let examples = 0;
  for (const { weights = new Float32Array() } of batches) {
    for (let start = 0; start < weights.length; start += entries) {
      const row = weights.subarray(start, start + entries);
      const top = row.indexOf(Math.max(...row));
      tops[top] = (tops[top] ?? 0) + 1;
      row.forEach((weight, entry) => (sums[entry] = (sums[entry] ?? 0) + weight));
      examples++;
    }
  }
  const share = (total: number): number => (examples === 0 ? 0 : total / examples);
  return { topShare: tops.map(share), meanWeight: sums.map(share) };
}
