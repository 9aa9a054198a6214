import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from '@jest/globals';

import { nullThrows } from '@dynaprompt/core';

import { ProcessEndedError } from '../process/run-process.js';
import type { Outcome } from '../study/run-plan.js';
import { finished } from '../study/study.test.fixture.js';
import type { SweepJob } from '../sweep/jobs.js';
import { toyPlan } from '../sweep/sweep.test.fixture.js';
import { MemoryQueue } from './memory-queue.test.fixture.js';
import { type JobPerformer, runWorker, type WorkerOptions } from './run-worker.js';

let jobs: readonly SweepJob[];
let queue: MemoryQueue;
let stop: AbortController;
let started: ToyPerformer[];

/** Does a job when it is told to, or dies. */
class ToyPerformer implements JobPerformer {
  private settle: { resolve: (outcome: Outcome) => void; reject: (error: Error) => void } | undefined;

  constructor(private readonly onRun: (performer: ToyPerformer) => void) {}

  run(): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.onRun(this);
    });
  }

  finish(outcome: Outcome = finished({})): void {
    this.settle?.resolve(outcome);
  }

  kill(): void {
    this.settle?.reject(new ProcessEndedError(null, 'SIGKILL'));
  }
}

beforeEach(async () => {
  ({ jobs } = await toyPlan());
  queue = new MemoryQueue();
  stop = new AbortController();
  started = [];
  await queue.put(jobs.slice(0, 2));
});

function work(onRun: (performer: ToyPerformer) => void, changes: Partial<WorkerOptions> = {}): Promise<void> {
  return runWorker(queue, {
    grace: 10_000,
    machine: 'here',
    signal: stop.signal,
    say: () => undefined,
    start: () => {
      const performer = new ToyPerformer(onRun);
      started.push(performer);
      return performer;
    },
    ...changes,
  });
}

async function stateOf(index: number): Promise<string | undefined> {
  const { key } = nullThrows(jobs[index], 'a job');
  return (await queue.states([key])).get(key)?.state;
}

describe('runWorker', () => {
  it('does one job after the other in one process, and ends when it is quiet', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-worker-'));
    try {
      await work(
        (performer) => {
          performer.finish();
        },
        { idle: 30, results: folder },
      );
      expect([await stateOf(0), await stateOf(1)]).toEqual(['done', 'done']);
      expect(started).toHaveLength(1);
      const names = jobs.slice(0, 2).map(({ key }) => `${key}.json`);
      expect((await readdir(folder)).sort()).toEqual(names.sort());
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('finishes the job at hand when it is told to stop', async () => {
    await work((performer) => {
      stop.abort();
      setTimeout(() => {
        performer.finish();
      }, 10);
    });
    expect([await stateOf(0), await stateOf(1)]).toEqual(['done', 'open']);
  });

  it('gives the job back that takes longer than the grace', async () => {
    await work(
      () => {
        stop.abort();
      },
      { grace: 10 },
    );
    expect(await stateOf(0)).toBe('open');
    expect(queue.isFree(nullThrows(jobs[0], 'a job').key)).toBe(true);
  });

  it('says that a process was lost, and goes on with another', async () => {
    await work(
      (performer) => {
        if (started.length === 1) performer.kill();
        else performer.finish();
      },
      { idle: 30 },
    );
    const { key } = nullThrows(jobs[0], 'a job');
    expect((await queue.states([key])).get(key)).toEqual({
      state: 'failed',
      message: 'the process of the run was ended by SIGKILL',
    });
    expect(await stateOf(1)).toBe('done');
    expect(started).toHaveLength(2);
  });
});
