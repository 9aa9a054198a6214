import { setTimeout } from 'node:timers/promises';

import type { SweepJob } from '../sweep/jobs.js';
import type { JobResult } from '../sweep/store.js';
import type { JobQueue } from './contract.js';

/** How results are waited for. */
export interface CollectOptions {
  /** Jobs that failed in the queue earlier are put in again. */
  readonly retryFailed: boolean;
  readonly signal: AbortSignal;
  /** Told once for each job. */
  readonly finished: (result: JobResult) => Promise<void>;
  /** Milliseconds between two looks. Default 500. */
  readonly pause?: number;
}

/**
 * Puts jobs into a queue and waits until every one of them has an outcome. The queue is asked, not listened to, and a job that it
 * has forgotten, as a server does that lost its last writes, is put in again: nothing that happens in between is missed.
 */
export async function collectFromQueue(
  queue: JobQueue,
  jobs: readonly SweepJob[],
  { retryFailed, signal, finished, pause = 500 }: CollectOptions,
): Promise<void> {
  const open = new Map(jobs.map((job) => [job.key, job]));
  let isFirst = true;
  while (open.size > 0) {
    const states = await untilAborted(queue.states([...open.keys()]), signal);
    if (isFirst && retryFailed) {
      const failed = [...open.values()].filter(({ key }) => states.get(key)?.state === 'failed');
      await untilAborted(queue.retry(failed), signal);
    } else {
      for (const [key, state] of states) {
        const job = open.get(key);
        if (job === undefined || state.state === 'open') continue;
        open.delete(key);
        await finished(resultOf(job, state));
      }
    }
    isFirst = false;
    const missing = [...open.values()].filter(({ key }) => !states.has(key));
    if (missing.length > 0) await untilAborted(queue.put(missing), signal);
    if (open.size > 0) await setTimeout(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** What the promise gives, unless the signal is raised first: a queue that is out of reach may take long to answer. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop);
    });
  });
}

function resultOf(
  { key, identity }: SweepJob,
  state: { state: 'done'; result: JobResult } | { state: 'failed'; message: string },
): JobResult {
  if (state.state === 'done') return state.result;
  return { key, identity, outcome: { ok: false, message: state.message }, machine: 'unknown' };
}
