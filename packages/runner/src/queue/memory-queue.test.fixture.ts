import type { SweepJob } from '../sweep/jobs.js';
import type { JobAnswer, JobFeed, JobQueue, JobState } from './contract.js';

/** A queue in this process that keeps to the contract, and can forget, as a server does that lost its last writes. */
export class MemoryQueue implements JobQueue, JobFeed {
  private readonly jobs = new Map<string, { readonly job: SweepJob; state: JobState; taken: boolean }>();
  /** Keys in the order in which they were put in. */
  readonly order: string[] = [];
  isClosed = false;

  put(jobs: readonly SweepJob[]): Promise<void> {
    for (const job of jobs) {
      if (this.jobs.has(job.key)) continue;
      this.order.push(job.key);
      this.jobs.set(job.key, { job, state: { state: 'open' }, taken: false });
    }
    return Promise.resolve();
  }

  retry(jobs: readonly SweepJob[]): Promise<void> {
    for (const { key } of jobs) {
      const entry = this.jobs.get(key);
      if (entry?.state.state === 'failed') Object.assign(entry, { state: { state: 'open' }, taken: false });
    }
    return Promise.resolve();
  }

  states(keys: readonly string[]): Promise<ReadonlyMap<string, JobState>> {
    const known = keys.flatMap((key): [string, JobState][] => {
      const entry = this.jobs.get(key);
      return entry === undefined ? [] : [[key, entry.state]];
    });
    return Promise.resolve(new Map(known));
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  forget(key: string): void {
    this.jobs.delete(key);
  }

  setState(key: string, state: JobState): void {
    const entry = this.jobs.get(key);
    if (entry !== undefined) entry.state = state;
  }

  /** Whether nobody has the job. */
  isFree(key: string): boolean {
    return this.jobs.get(key)?.taken === false;
  }

  async serve(answer: (job: SweepJob) => Promise<JobAnswer>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const entry = [...this.jobs.values()].find(({ state, taken }) => state.state === 'open' && !taken);
      if (entry === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        continue;
      }
      entry.taken = true;
      const given = await answer(entry.job);
      if (given.kind === 'result') entry.state = { state: 'done', result: given.result };
      else if (given.kind === 'crashed') entry.state = { state: 'failed', message: given.message };
      else entry.taken = false;
    }
  }
}
