import type { SweepJob } from '../sweep/jobs.js';
import type { JobResult } from '../sweep/store.js';

/** What became of a job that was put into a queue. */
export type JobState =
  | { readonly state: 'open' }
  | { readonly state: 'done'; readonly result: JobResult }
  /** No worker will take it again by itself. */
  | { readonly state: 'failed'; readonly message: string };

/** A queue as a sweep sees it. */
export interface JobQueue {
  /** Puts jobs in; one that is there already, whatever its state, is left alone. */
  put(jobs: readonly SweepJob[]): Promise<void>;
  /** Puts failed jobs in again. */
  retry(jobs: readonly SweepJob[]): Promise<void>;
  /** States of jobs by key; a job that the queue does not know is absent. */
  states(keys: readonly string[]): Promise<ReadonlyMap<string, JobState>>;
  /** Closes the connection; jobs stay. */
  close(): Promise<void>;
}

/** What a worker says of a job that it took. */
export type JobAnswer =
  | { readonly kind: 'result'; readonly result: JobResult }
  /** The job failed by no fault of its own, such as a lost process: it may be tried again. */
  | { readonly kind: 'crashed'; readonly message: string }
  /** The worker has to stop: the job goes back as it came. */
  | { readonly kind: 'returned' };

/** A queue as a worker sees it. */
export interface JobFeed {
  /**
   * Takes jobs and answers for them, until the signal is raised and the jobs at hand are answered. What the queue takes back
   * from a worker that is gone is given to another.
   *
   * @throws QueueConnectionError when the queue is out of reach for longer than it may.
   */
  serve(answer: (job: SweepJob) => Promise<JobAnswer>, signal: AbortSignal): Promise<void>;
}
