/** Ranks from 1 in ascending order; equal values share the mean of the ranks they take up. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const sorted = Array.from(values, (value, index) => ({ value, index })).sort(
    (first, second) => first.value - second.value,
  );
  const ranks = new Float64Array(sorted.length);
  let start = 0;
  while (start < sorted.length) {
    const value = sorted[start]?.value;
    let end = start + 1;
    while (end < sorted.length && sorted[end]?.value === value) end += 1;
    for (const { index } of sorted.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}
