import type { Loading } from './loading.js';
import type { PictureRequest } from './pixel-source.js';

/** Batches that are on their way, in the order of their source. */
export interface ReadAhead<Request extends PictureRequest> {
  /** Begins batches until so many are on their way, or the source has no more. */
  fill(batches: number): Promise<void>;
  /** The next batch; throws what the source threw when it is that batch's turn. */
  take(): readonly Loading<Request>[] | undefined;
  /** Resolves when every batch on its way can go on without the JavaScript thread. */
  underway(): Promise<void>;
  /** Tells the source that no more batches are wanted. */
  end(): Promise<void>;
}

/** Reads a source of batches ahead of who takes them. */
export function readAhead<Request extends PictureRequest>(
  source: Iterable<readonly Request[]> | AsyncIterable<readonly Request[]>,
  start: (request: Request) => Loading<Request>,
  signal: AbortSignal,
): ReadAhead<Request> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const queue: Loading<Request>[][] = [];
  let failure: { readonly cause: unknown } | undefined;
  let exhausted = false;
  return {
    async fill(batches) {
      try {
        while (!exhausted && !signal.aborted && queue.length < batches) {
          const next = await iterator.next();
          if (next.done === true) exhausted = true;
          else queue.push(next.value.map(start));
        }
      } catch (cause) {
        exhausted = true;
        failure = { cause };
      }
    },
    take() {
      const batch = queue.shift();
      if (!batch && failure) throw failure.cause;
      return batch;
    },
    async underway() {
      await Promise.all(queue.flat().map((loading) => loading.underway));
    },
    async end() {
      queue.length = 0;
      if (!exhausted) await iterator.return?.();
      exhausted = true;
    },
  };
}
