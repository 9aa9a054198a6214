import { nullThrows } from '@dynaprompt/core';
import type { RunResults, UsagePoint } from '../results/schema.js';

/** Most evaluations that are drawn. */
const MOST_COLUMNS = 40;

/** Shares of what was chosen of one factor after every evaluation. */
export interface ChoiceHistory {
  readonly name: string;
  readonly factor: 'position' | 'length';
  readonly steps: readonly number[];
  /** [step][choice], means over the seeds; each row sums to 1. */
  readonly shares: readonly (readonly number[])[];
  /** [step] mean choice. */
  readonly means: readonly number[];
}

/** How the choices of every method went over training, of those that were recorded more than once. */
export function choiceHistories({ methods }: RunResults): readonly ChoiceHistory[] {
  return Object.entries(methods).flatMap(([method, { usageOverTraining = [] }]) =>
    [...new Set(usageOverTraining.map(({ task }) => task))].flatMap((task) => {
      const points = usageOverTraining.filter((point) => point.task === task);
      const name = task === undefined ? method : `${method}, ${task}`;
      return [
        ...history(name, 'position', points, ({ positions }) => positions),
        ...history(name, 'length', points, ({ lengths }) => lengths),
      ];
    }),
  );
}

function history(
  name: string,
  factor: ChoiceHistory['factor'],
  points: readonly UsagePoint[],
  countsOf: (point: UsagePoint) => readonly number[] | null,
): readonly ChoiceHistory[] {
  const steps = thinned([...new Set(points.map(({ step }) => step))].sort((left, right) => left - right));
  const shares = steps.map((step) => {
    const counted = points
      .filter((point) => point.step === step)
      .flatMap((point) => {
        const counts = countsOf(point);
        return counts === null ? [] : [counts];
      });
    const each = counted.map((counts) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      return counts.map((count) => (total === 0 ? 0 : count / total));
    });
    return (each[0] ?? []).map(
      (_, choice) => each.reduce((sum, row) => sum + (row[choice] ?? 0), 0) / each.length,
    );
  });
  if (steps.length < 2 || shares.some((row) => row.length === 0)) return [];
  const means = shares.map((row) => row.reduce((sum, share, choice) => sum + share * choice, 0));
  return [{ name, factor, steps, shares, means }];
}

/** Evenly spread ones of many, the last among them. */
function thinned(steps: readonly number[]): readonly number[] {
  if (steps.length <= MOST_COLUMNS) return steps;
  return Array.from({ length: MOST_COLUMNS }, (_, index) =>
    nullThrows(steps[Math.round(((index + 1) * steps.length) / MOST_COLUMNS) - 1], 'inside the list'),
  );
}
