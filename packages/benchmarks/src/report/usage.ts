import type { RunResults, UsageResult } from '../results/schema.js';

/** Shares of what can be chosen of one factor; each list sums to 1. */
export interface UsagePanel {
  readonly title: string;
  /** Below the bars, one for each choice. */
  readonly labels: readonly string[];
  readonly bars: readonly { readonly name: string; readonly shares: readonly number[] }[];
}

/** What a method chose, on one task where there are several. */
export interface UsageGroup {
  readonly name: string;
  readonly panels: readonly UsagePanel[];
}

/** The choices of every method that has any, over all seeds. */
export function usageGroups({ methods }: RunResults): readonly UsageGroup[] {
  return Object.entries(methods).flatMap(([method, { usage = [] }]) => {
    const tasks = [...new Set(usage.map(({ task }) => task))];
    return tasks.map((task) => ({
      name: task === undefined ? method : `${method}, ${task}`,
      panels: panelsOf(usage.filter((entry) => entry.task === task)),
    }));
  });
}

function panelsOf(entries: readonly UsageResult[]): readonly UsagePanel[] {
  const all = <Value>(pick: (entry: UsageResult) => Value | null): readonly Value[] =>
    entries.map(pick).filter((value) => value !== null);
  const positions = meanShares(all(({ positions: counts }) => counts));
  const lengths = meanShares(all(({ lengths: counts }) => counts));
  const tops = meanShares(all(({ pool }) => pool?.topShare ?? null));
  const weights = meanShares(all(({ pool }) => pool?.meanWeight ?? null));
  const panel = (title: string, first: number, ...bars: UsagePanel['bars']): readonly UsagePanel[] => {
    const size = bars[0]?.shares.length ?? 0;
    const labels = Array.from({ length: size }, (_, index) => `${index + first}`);
    return size === 0 ? [] : [{ title, labels, bars }];
  };
  return [
    ...panel('position', 0, { name: 'chosen', shares: positions }),
    ...panel('length', 0, { name: 'chosen', shares: lengths }),
    ...panel(
      'pool entry',
      0,
      { name: 'largest weight', shares: tops },
      { name: 'mean weight', shares: weights },
    ),
  ];
}

/** Each list as shares of its sum, averaged over the lists. */
function meanShares(lists: readonly (readonly number[])[]): readonly number[] {
  const shares = lists.map((values) => {
    const total = values.reduce((sum, value) => sum + value, 0);
    return values.map((value) => (total === 0 ? 0 : value / total));
  });
  const [first = []] = shares;
  return first.map((_, index) => {
    return shares.reduce((sum, values) => sum + (values[index] ?? 0), 0) / shares.length;
  });
}
