import { beforeEach, describe, expect, it } from '@jest/globals';

import { nullThrows } from '@dynaprompt/core';

import type { SweepJob } from '../sweep/jobs.js';
import { resultOf, toyPlan } from '../sweep/sweep.test.fixture.js';
import type { JobResult } from '../sweep/store.js';
import { collectFromQueue } from './collect.js';
import { MemoryQueue } from './memory-queue.test.fixture.js';

let jobs: readonly SweepJob[];
let queue: MemoryQueue;
let results: JobResult[];

beforeEach(async () => {
  ({ jobs } = await toyPlan());
  queue = new MemoryQueue();
  results = [];
});

function collect(changes: { retryFailed?: boolean; signal?: AbortSignal } = {}): Promise<void> {
  return collectFromQueue(queue, jobs, {
    retryFailed: false,
    signal: new AbortController().signal,
    pause: 1,
    finished: (result) => {
      results.push(result);
      return Promise.resolve();
    },
    ...changes,
  });
}

/** A worker that gives each job the seed as its score. */
function work(
  signal: AbortSignal,
  onJob: (job: SweepJob, count: number) => void = () => undefined,
): Promise<void> {
  let count = 0;
  return queue.serve((job) => {
    onJob(job, ++count);
    return Promise.resolve({ kind: 'result', result: resultOf(job, job.identity.seed) });
  }, signal);
}

describe('collectFromQueue', () => {
  it('tells of every job once, from several workers', async () => {
    const over = new AbortController();
    const workers = [work(over.signal), work(over.signal)];
    await collect();
    over.abort();
    await Promise.all(workers);
    expect(results.map(({ key }) => key).sort()).toEqual(jobs.map(({ key }) => key).sort());
  });

  it('puts a job in again that the queue has forgotten, done or not', async () => {
    const [first, second] = jobs.map(({ key }) => key);
    const over = new AbortController();
    const worker = work(over.signal, (_, count) => {
      if (count !== 3) return;
      for (const key of [first, second]) queue.forget(nullThrows(key, 'a key'));
    });
    await collect();
    over.abort();
    await worker;
    expect(new Set(results.map(({ key }) => key)).size).toBe(jobs.length);
    expect(results).toHaveLength(jobs.length);
  });

  it('takes results that are there before, and puts nothing in twice', async () => {
    await queue.put(jobs);
    for (const job of jobs) queue.setState(job.key, { state: 'done', result: resultOf(job, 0.5) });
    await collect();
    expect(results).toHaveLength(jobs.length);
    expect(queue.order).toHaveLength(jobs.length);
  });

  it('tells of a failed job, and has it tried again when asked', async () => {
    await queue.put(jobs);
    const failing = nullThrows(jobs[2], 'a job').key;
    queue.setState(failing, { state: 'failed', message: 'no memory' });
    const over = new AbortController();
    const worker = work(over.signal);
    await collect();
    expect(results.find(({ key }) => key === failing)?.outcome).toEqual({ ok: false, message: 'no memory' });
    results = [];
    await collect({ retryFailed: true });
    over.abort();
    await worker;
    expect(results.find(({ key }) => key === failing)?.outcome.ok).toBe(true);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const waiting = collect({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('stops where the queue is out of reach', async () => {
    const stop = new AbortController();
    queue.states = () => new Promise(() => undefined);
    const waiting = collect({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
