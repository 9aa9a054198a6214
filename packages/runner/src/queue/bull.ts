import { type Job, Queue, UnrecoverableError, WaitingError, Worker } from 'bullmq';

import type { SweepJob } from '../sweep/jobs.js';
import { isResult, type JobResult } from '../sweep/store.js';
import { WorkerStoppedError } from '../process/stopped.js';
import type { JobAnswer, JobFeed, JobQueue, JobState } from './contract.js';
import { QueueConnectionError } from './errors.js';
import { RedisLink } from './redis-link.js';

/** Where a queue is. */
export interface QueuePlace {
  /** `redis://host:port/database` */
  readonly url: string;
  /** Name of the application: its sweeps and its workers share one queue. */
  readonly application: string;
  /** Milliseconds that the server may be out of reach. */
  readonly patience: number;
}

/** How long the server keeps what is over, seconds. */
const week = { age: 7 * 24 * 3600 };
const prefix = 'dynaprompt';
/** Times that a job is begun again after its process, or its worker, was lost. */
const attempts = 3;

/** Opens the queue of an application for its sweeps. @throws ConfigurationError, QueueConnectionError */
export async function openBullQueue({ url, application, patience }: QueuePlace): Promise<JobQueue> {
  const link = await RedisLink.open(url, patience, `${application}-sweep`);
  const queue = new Queue<SweepJob, JobResult>(application, { connection: link.client, prefix });
  // Lost connections show in the calls.
  queue.on('error', () => undefined);
  return new BullQueue(link, queue);
}

class BullQueue implements JobQueue {
  constructor(
    private readonly link: RedisLink,
    private readonly queue: Queue<SweepJob, JobResult>,
  ) {}

  async put(jobs: readonly SweepJob[]): Promise<void> {
    for (const part of inParts(jobs)) {
      await this.link.persistently(() =>
        this.queue.addBulk(
          part.map((job) => ({
            name: job.identity.method,
            data: job,
            opts: {
              jobId: job.key,
              attempts,
              backoff: { type: 'exponential', delay: 1000 },
              removeOnComplete: week,
              removeOnFail: week,
            },
          })),
        ),
      );
    }
  }

  async retry(jobs: readonly SweepJob[]): Promise<void> {
    for (const { key } of jobs) {
      await this.link.persistently(async () => {
        const job = await this.queue.getJob(key);
        if ((await job?.isFailed()) === true) await job?.retry('failed', { resetAttemptsMade: true });
      });
    }
  }

  async states(keys: readonly string[]): Promise<ReadonlyMap<string, JobState>> {
    const states = new Map<string, JobState>();
    for (const part of inParts(keys)) {
      const jobs = await this.link.persistently(() => Promise.all(part.map((key) => this.queue.getJob(key))));
      for (const [index, key] of part.entries()) {
        const job = jobs[index];
        if (job !== undefined) states.set(key, stateOf(job));
      }
    }
    return states;
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.link.close();
  }
}

/** What BullMQ has of a job; it types as present what may be absent. */
interface QueuedJob {
  readonly id?: string | undefined;
  readonly finishedOn?: number | undefined;
  readonly failedReason?: string | undefined;
  readonly returnvalue?: unknown;
}

function stateOf({ finishedOn, failedReason, returnvalue, id }: QueuedJob): JobState {
  if (finishedOn === undefined) return { state: 'open' };
  if (isResult(returnvalue) && returnvalue.key === id) return { state: 'done', result: returnvalue };
  return { state: 'failed', message: failedReason ?? 'the queue lost what it gave' };
}

/** What a worker says of its queue, and how quickly it takes over the jobs of one that is gone. */
export interface FeedOptions {
  readonly concurrency: number;
  /** Milliseconds without a sign of life after which a job is taken to be lost. */
  readonly lock: number;
  /** Milliseconds that jobs at hand may take after the signal. */
  readonly grace: number;
  readonly say: (line: string) => void;
}

/** Opens the queue of an application for a worker. @throws ConfigurationError, QueueConnectionError */
export async function openBullFeed(place: QueuePlace, options: FeedOptions): Promise<JobFeed> {
  const link = await RedisLink.open(place.url, place.patience, `${place.application}-worker`);
  return { serve: (answer, signal) => serve(link, place, options, answer, signal) };
}

async function serve(
  link: RedisLink,
  { application, patience }: QueuePlace,
  { concurrency, lock, grace, say }: FeedOptions,
  answer: (job: SweepJob) => Promise<JobAnswer>,
  signal: AbortSignal,
): Promise<void> {
  const perform = async (job: Job<SweepJob, JobResult>, token?: string): Promise<JobResult> => {
    const given = await answer(job.data);
    if (given.kind === 'returned') {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (given.kind === 'crashed') throw new Error(given.message);
    const { outcome } = given.result;
    // What fails by its configuration or data fails every time.
    if (!outcome.ok) throw new UnrecoverableError(outcome.message);
    return given.result;
  };
  const { client } = link;
  const worker = new Worker<SweepJob, JobResult>(application, perform, {
    connection: client,
    prefix,
    concurrency,
    autorun: false,
    lockDuration: lock,
    stalledInterval: lock,
    maxStalledCount: attempts,
    drainDelay: 2,
  });
  const over = new AbortController();
  let isLost = false;
  // Every attempt that fails ends in a close.
  client.on('close', () => {
    if (isLost || client.status !== 'reconnecting') return;
    isLost = true;
    say(`connection lost, trying for ${Math.round(patience / 1000)} s`);
  });
  client.on('ready', () => {
    isLost = false;
    say('connection is back');
  });
  worker.on('error', (error) => {
    if (client.status === 'ready') say(`queue: ${error.message}`);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        worker.close().then(resolve, reject);
        // What is on the way to a server that is gone would wait until the patience is at its end.
        void link.giveUpAfter(grace, over.signal);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      void link.gaveUp.then(reject);
      worker.run().catch(reject);
    });
  } catch (error) {
    // Not awaited: it may wait for jobs that go on until they are killed.
    void worker.close(true).catch(() => undefined);
    throw signal.aborted && error instanceof QueueConnectionError ? new WorkerStoppedError(error) : error;
  } finally {
    over.abort();
    await link.close();
  }
}

/** So many at a time that the server is not kept from others. */
function inParts<Item>(items: readonly Item[], size = 200): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
