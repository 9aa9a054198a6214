import { type RandomStream, stream } from '@dynaprompt/core';

/** How {@link epochOrder} cuts an epoch into batches. */
export interface OrderOptions {
  /** Number of examples. */
  readonly count: number;
  /** Examples of one optimiser step. */
  readonly batch: number;
  /**
   * Batches of a window. Within a window of the shuffled epoch, examples of like length are batched together, which saves
   * padding; 1 leaves the shuffled order alone.
   */
  readonly window: number;
  /** Length of the example of that index. */
  readonly lengthOf: (index: number) => number;
}

/** Steps until every example has had its turn. */
export function stepsPerEpoch(options: OrderOptions): number {
  return Math.max(1, Math.floor(options.count / batchSize(options)));
}

/**
 * The batches of one epoch, as indices of examples. All batches have the same size: the examples left over at the end of an
 * epoch, other ones each time, wait for the next. A batch never holds an example twice, so where there are fewer examples
 * than `batch` it holds them all.
 *
 * @param random the order depends on nothing else.
 */
export function* epochOrder(options: OrderOptions, random: RandomStream): Generator<readonly number[]> {
  const { count, window, lengthOf } = options;
  const size = batchSize(options);
  const all = random.shuffle(Array.from({ length: count }, (_, index) => index));
  for (const part of cut(all.slice(0, stepsPerEpoch(options) * size), size * window)) {
    yield* window === 1 ? cut(part, size) : random.shuffle(cut(sortByLength(part, lengthOf), size));
  }
}

/**
 * The first `steps` batches of a run. Every epoch has a stream of its own, so that a step's batch follows from the seed and
 * the number of the step alone.
 */
export function batchesOfRun(
  options: OrderOptions,
  seed: number,
  steps: number,
): readonly (readonly number[])[] {
  const random = stream(seed, 'data');
  const batches: (readonly number[])[] = [];
  for (let epoch = 0; batches.length < steps; epoch++) {
    for (const batch of epochOrder(options, random.substream(`epoch ${epoch}`))) {
      batches.push(batch);
      if (batches.length === steps) break;
    }
  }
  return batches;
}

/** A sorted copy, shortest first; equal lengths keep their order. */
export function sortByLength<Item>(
  items: readonly Item[],
  lengthOf: (item: Item) => number,
): readonly Item[] {
  return items
    .map((item) => ({ item, length: lengthOf(item) }))
    .sort((left, right) => left.length - right.length)
    .map(({ item }) => item);
}

/** Consecutive parts of `size` items, the last one as long as it comes. */
export function cut<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  const parts: (readonly Item[])[] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}

function batchSize({ count, batch }: OrderOptions): number {
  return Math.min(batch, count);
}
