import type { BadRowPolicy, SkippedRows } from '@dynaprompt/benchmarks';
import type { DataError } from '@dynaprompt/core';

/** Examples that are looked at at a time. */
const together = 8;

/** So many of what was left out are named. */
const named = 5;

/** What is trained on and what is scored, with what was left out of both. */
export interface UsableSplits<Item> {
  readonly train: readonly Item[];
  readonly validation: readonly Item[];
  readonly faults: SkippedRows;
}

/**
 * Looks at every example once, so that a bad one shows before anything is trained.
 *
 * @param problemOf why an example cannot be used; undefined where it can.
 * @returns the splits without bad examples; `faults` counts them and names the first.
 * @throws DataError with `fail`, that of the first bad example.
 */
export async function usableExamples<Item extends { readonly id: string }>(
  { train, validation, faults }: UsableSplits<Item>,
  problemOf: (item: Item) => Promise<DataError | undefined>,
  policy: BadRowPolicy,
  signal?: AbortSignal,
): Promise<UsableSplits<Item>> {
  const problems: string[] = [];
  const usable = async (split: readonly Item[]): Promise<readonly Item[]> => {
    const kept: Item[] = [];
    for (let start = 0; start < split.length; start += together) {
      signal?.throwIfAborted();
      const part = split.slice(start, start + together);
      const found = await Promise.all(part.map(problemOf));
      for (const [index, item] of part.entries()) {
        const problem = found[index];
        if (problem === undefined) kept.push(item);
        else if (policy === 'fail') throw problem;
        else problems.push(`${item.id}: ${problem.problem}`);
      }
    }
    return kept;
  };
  return {
    train: await usable(train),
    validation: await usable(validation),
    faults: joined(faults, problems),
  };
}

function joined({ count, first }: SkippedRows, problems: readonly string[]): SkippedRows {
  return { count: count + problems.length, first: [...first, ...problems].slice(0, named) };
}
