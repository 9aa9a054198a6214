import { ConfigurationError, DataError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { begin, type Loading } from './loading.js';
import { createPixelSource, type PictureRequest, type PixelSourceOptions } from './pixel-source.js';
import { readAhead } from './read-ahead.js';

/** Options of {@link createPictureLoader}. */
export interface PictureLoaderOptions extends PixelSourceOptions {
  /** Batches that are decoded while one is being worked on. Default 2. */
  readonly lookAhead?: number;
  /** What to do about a picture that cannot be used: reject the batch it is in, or leave it out of that batch. Default `fail`. */
  readonly badPictures?: 'fail' | 'skip';
}

/** A batch that is ready. */
export interface PictureBatch<Request extends PictureRequest> {
  /** Those of the batch whose pictures could be used, in its order. */
  readonly requests: readonly Request[];
  /** Where each of them stood in the batch. */
  readonly rows: readonly number[];
  /** [requests, 3, height, width] */
  readonly pixelValues: Float32Array;
}

/** A picture that was left out. */
export interface SkippedPicture {
  readonly id: string;
  /** The error's message. */
  readonly reason: string;
}

/** What a loader did so far. */
export interface LoadingReport {
  readonly decoded: number;
  /** Requests answered from the cache. */
  readonly cached: number;
  /** Each picture once, in the order in which they were met. */
  readonly skipped: readonly SkippedPicture[];
}

/** Decodes pictures ahead of the model. */
export interface PictureLoader {
  /**
   * Batches in the order of their source, decoded ahead. Before a batch is handed out, the decoding of the next ones is in the
   * hands of other threads, so that a model run that blocks the JavaScript thread does not hold it up. A batch of which nothing
   * can be used is passed over. Rejects with the error of the first bad picture when its batch is due, and ends.
   */
  batches<Request extends PictureRequest>(
    source: Iterable<readonly Request[]> | AsyncIterable<readonly Request[]>,
  ): AsyncGenerator<PictureBatch<Request>, void, undefined>;
  /**
   * One batch now. Takes what was prefetched.
   * @throws DataError that names the first bad picture, under either policy; also when the loader is closed.
   */
  load(requests: readonly PictureRequest[]): Promise<Float32Array>;
  /**
   * Begins to decode a batch that will be loaded later; resolves when other threads can go on without the JavaScript thread. Bad
   * pictures are reported when they are loaded. At most `lookAhead` batches are kept: the oldest is let go.
   */
  prefetch(requests: readonly PictureRequest[]): Promise<void>;
  /** What was decoded, kept and skipped so far. */
  report(): LoadingReport;
  /** Stops decoding ahead; resolves when nothing is being decoded any more. Iterations end. */
  close(): Promise<void>;
}

/**
 * A loader of pictures for one model.
 * @throws ConfigurationError for a look-ahead or augmentation options that cannot be used.
 */
export function createPictureLoader(options: PictureLoaderOptions): PictureLoader {
  const { lookAhead = 2, badPictures = 'fail', preprocessor } = options;
  if (!Number.isInteger(lookAhead) || lookAhead < 0) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'lookAhead',
      problem: `${lookAhead} is not a number of batches`,
      remedy: 'Give an integer from 0 on',
    });
  }
  const source = createPixelSource(options);
  const abort = new AbortController();
  const skipped = new Map<string, SkippedPicture>();
  const working = new Set<Promise<unknown>>();
  const prefetched: Loading<PictureRequest>[][] = [];

  const start = <Request extends PictureRequest>(request: Request): Loading<Request> => {
    const loading = begin(source, request, abort.signal);
    const finished = loading.outcome.finally(() => working.delete(finished));
    working.add(finished);
    return loading;
  };
  const joined = (values: readonly Float32Array[]): Float32Array => {
    const all = new Float32Array(values.length * preprocessor.valuesPerPicture);
    values.forEach((part, row) => {
      all.set(part, row * preprocessor.valuesPerPicture);
    });
    return all;
  };
  const finish = async <Request extends PictureRequest>(
    batch: readonly Loading<Request>[],
    policy: 'fail' | 'skip',
  ): Promise<PictureBatch<Request>> => {
    const requests: Request[] = [];
    const rows: number[] = [];
    const values: Float32Array[] = [];
    for (const [row, { request, outcome }] of batch.entries()) {
      const result = await outcome;
      if ('values' in result) {
        requests.push(request);
        rows.push(row);
        values.push(result.values);
      } else if (policy === 'skip' && result.failure instanceof DataError) {
        const { id } = request.example;
        skipped.set(id, { id, reason: result.failure.message });
      } else {
        throw result.failure;
      }
    }
    return { requests, rows, pixelValues: joined(values) };
  };
  /** What was begun for a request, if anything. */
  const takePrefetched = (wanted: PictureRequest): Loading<PictureRequest> | undefined => {
    for (const batch of prefetched) {
      const at = batch.findIndex(({ request }) => isSame(request, wanted));
      if (at >= 0) return batch.splice(at, 1)[0];
    }
    return undefined;
  };

  return {
    async *batches(batchSource) {
      const ahead = readAhead(batchSource, start, abort.signal);
      try {
        for (;;) {
          await ahead.fill(lookAhead + 1);
          const batch = ahead.take();
          if (!batch) return;
          const ready = await finish(batch, badPictures);
          await ahead.underway();
          if (abort.signal.aborted) return;
          if (ready.requests.length > 0) yield ready;
        }
      } catch (failure) {
        if (!abort.signal.aborted) throw failure;
      } finally {
        await ahead.end();
      }
    },
    async load(requests) {
      if (abort.signal.aborted) throw closed();
      const batch = requests.map((request) => takePrefetched(request) ?? start(request));
      for (let at = prefetched.length - 1; at >= 0; at--) {
        if (prefetched[at]?.length === 0) prefetched.splice(at, 1);
      }
      const { pixelValues } = await finish(batch, 'fail').catch((failure: unknown) => {
        throw abort.signal.aborted ? closed() : failure;
      });
      return pixelValues;
    },
    async prefetch(requests) {
      if (abort.signal.aborted || lookAhead < 1) return;
      while (prefetched.length >= lookAhead) prefetched.shift();
      const batch = requests.map(start);
      prefetched.push(batch);
      await Promise.all(batch.map(({ underway }) => underway));
    },
    report: () => ({ ...source.counts, skipped: [...skipped.values()] }),
    async close() {
      abort.abort();
      prefetched.length = 0;
      await Promise.all(working);
      source.clear();
    },
  };
}

function isSame(one: PictureRequest, other: PictureRequest): boolean {
  const { image } = one.example;
  const { image: otherImage } = other.example;
  const samePicture =
    image === otherImage ||
    (image.kind === 'file' && otherImage.kind === 'file' && image.path === otherImage.path);
  return samePicture && one.draw?.epoch === other.draw?.epoch && one.draw?.index === other.draw?.index;
}

function closed(): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: 'picture loader',
    problem: 'it was closed',
    remedy: 'Create another one',
  });
}
