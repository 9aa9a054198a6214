/**
 * Groups what arrives into batches of at most `size`, in order. A batch is full, or the last one, or what there was when nothing
 * more came for `pause` milliseconds; without a `pause` it waits until it is full.
 */
export async function* inBatches<Item>(
  groups: AsyncIterable<readonly Item[]>,
  size: number,
  pause?: number,
): AsyncGenerator<readonly Item[]> {
  const iterator = groups[Symbol.asyncIterator]();
  let batch: Item[] = [];
  let next = request(iterator);
  for (;;) {
    const arrived = batch.length === 0 ? await next : await within(next, pause);
    if (arrived !== undefined) {
      if (arrived.done === true) break;
      for (const item of arrived.value) {
        batch.push(item);
        if (batch.length < size) continue;
        yield batch;
        batch = [];
      }
      next = request(iterator);
    } else {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** Asks for the next; a failure shows when it is awaited, not while a batch is being worked on. */
function request<Item>(iterator: AsyncIterator<Item>): Promise<IteratorResult<Item, unknown>> {
  const next = iterator.next();
  next.catch(() => undefined);
  return next;
}

/** What `next` gives, or undefined where that takes longer than so many milliseconds. */
async function within<Result>(
  next: Promise<Result>,
  milliseconds: number | undefined,
): Promise<Result | undefined> {
  if (milliseconds === undefined) return next;
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([next, pause]);
  } finally {
    clearTimeout(timer);
  }
}
