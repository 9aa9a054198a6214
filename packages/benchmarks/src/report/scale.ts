/** Maps values of a range onto positions of a chart's axis. */
export interface Scale {
  readonly position: (value: number) => number;
  /** Round values inside the range, ascending. */
  readonly ticks: readonly number[];
}

/** A linear scale from `[lowest, highest]` onto `[start, end]`, with about `count` round ticks. */
export function linearScale(
  [lowest, highest]: readonly [number, number],
  [start, end]: readonly [number, number],
  count: number,
): Scale {
  const [low, high] = lowest === highest ? [lowest - 0.5, highest + 0.5] : [lowest, highest];
  return {
    position: (value) => start + ((value - low) / (high - low)) * (end - start),
    ticks: roundTicks(low, high, count),
  };
}

/** Smallest and largest of some values, widened by a share of their distance on both sides. */
export function paddedRange(values: readonly number[], share: number): readonly [number, number] {
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  const padding = (highest - lowest) * share;
  return [lowest - padding, highest + padding];
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function roundTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}
