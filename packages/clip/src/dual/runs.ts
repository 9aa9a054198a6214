/** Examples of one run of a session: the first, and how many. */
export type Run = readonly [start: number, count: number];

/**
 * Consecutive examples whose texts fit into a run; those of an example stay together.
 * @param texts of each example.
 * @param most texts of a run, save where an example alone has more.
 */
export function runsByTexts(texts: readonly number[], most: number): readonly Run[] {
  const runs: Run[] = [];
  let [start, rows] = [0, 0];
  texts.forEach((count, index) => {
    if (index > start && rows + count > most) {
      runs.push([start, index - start]);
      [start, rows] = [index, 0];
    }
    rows += count;
  });
  return [...runs, [start, texts.length - start]];
}

/** Examples in at most `most` runs, as even as can be. */
export function evenRuns(examples: number, most: number): readonly Run[] {
  const runs = Math.max(1, Math.min(examples, most));
  return Array.from({ length: runs }, (_, run) => {
    const [start, end] = [run, run + 1].map((at) => Math.floor((at * examples) / runs));
    return [start ?? 0, (end ?? 0) - (start ?? 0)];
  });
}
