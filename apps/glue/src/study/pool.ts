import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { DynaPromptError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { StudyOptions } from './options.js';
import type { KeyedRun, Outcome } from './run-plan.js';
import type { WorkerAnswer, WorkerRequest } from './worker.js';

/** A study that was asked to stop; the runs that are done are in the journal. */
export class StudyStoppedError extends DynaPromptError {
  constructor(journal: string, cause: unknown) {
    super({
      packageName,
      subject: 'study',
      problem: `stopped; the finished runs are kept in ${journal}`,
      remedy: 'Start it again to go on',
      cause,
    });
  }
}

/** What a pool works on. */
export interface PoolOptions {
  readonly workers: number;
  readonly options: StudyOptions;
  readonly dataRoot: string;
  readonly signal: AbortSignal;
  /** Runs that can start, those already handed out included. */
  pending(): readonly KeyedRun[];
  /** Told once for each run, before the next is handed out. */
  finished(run: KeyedRun, outcome: Outcome): void;
}

interface Worker {
  readonly child: ChildProcess;
  /** Of its last run; its backbone is open. */
  task: string | undefined;
  run: KeyedRun | undefined;
}

/**
 * Trains in child processes until nothing is pending. A process that ends in the middle of a run fails that run, and another
 * takes its place. Rejects when the signal is raised, with all processes ended.
 */
export function runPool(pool: PoolOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const workers = new Set<Worker>();
    let over = false;

    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      pool.signal.removeEventListener('abort', stop);
      for (const { child } of workers) child.kill('SIGKILL');
      settle();
    };
    const stop = (): void => {
      end(() => {
        reject(new Error('stopped', { cause: pool.signal.reason }));
      });
    };
    const settle = (worker: Worker, outcome: Outcome): void => {
      const { run } = worker;
      worker.run = undefined;
      if (run !== undefined) pool.finished(run, outcome);
    };
    const start = (): Worker => {
      const child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), { serialization: 'json' });
      const worker: Worker = { child, task: undefined, run: undefined };
      workers.add(worker);
      child.on('message', ({ outcome }: WorkerAnswer) => {
        guarded(() => {
          settle(worker, outcome);
          handOut();
        });
      });
      child.on('error', (error) => {
        guarded(() => {
          throw error;
        });
      });
      child.on('exit', (code, signal) => {
        workers.delete(worker);
        guarded(() => {
          const how = signal === null ? `with exit code ${code ?? 'unknown'}` : `by ${signal}`;
          settle(worker, { ok: false, message: `the process of the run was ended ${how}` });
          handOut();
        });
      });
      send(worker, { type: 'open', options: pool.options, dataRoot: pool.dataRoot });
      return worker;
    };
    const handOut = (): void => {
      const running = new Set([...workers].map(({ run }) => run?.key));
      const waiting = pool.pending().filter(({ key }) => !running.has(key));
      while (waiting.length > 0) {
        const idle = [...workers].find(({ run }) => run === undefined);
        if (idle === undefined && workers.size >= pool.workers) return;
        const worker = idle ?? start();
        const run = waiting.splice(nextFor(worker, waiting, workers), 1)[0];
        if (run === undefined) return;
        worker.run = run;
        worker.task = run.run.task;
        send(worker, { type: 'run', run });
      }
      if ([...workers].every(({ run }) => run === undefined)) end(resolve);
    };
    const guarded = (action: () => void): void => {
      if (over) return;
      try {
        action();
      } catch (error) {
        end(() => {
          reject(error instanceof Error ? error : new Error(String(error)));
        });
      }
    };
    if (pool.signal.aborted) {
      stop();
      return;
    }
    pool.signal.addEventListener('abort', stop);
    guarded(handOut);
  });
}

/** Index of the run that a worker does next: of the task it has open, else of one that nobody has, else the first. */
function nextFor(worker: Worker, waiting: readonly KeyedRun[], workers: ReadonlySet<Worker>): number {
  const taken = new Set([...workers].filter((other) => other !== worker).map(({ task }) => task));
  const own = waiting.findIndex(({ run }) => run.task === worker.task);
  const free = waiting.findIndex(({ run }) => !taken.has(run.task));
  return own >= 0 ? own : Math.max(0, free);
}

function send({ child }: Worker, request: WorkerRequest): void {
  // A process that has just ended is told of by its exit.
  child.send(request, () => undefined);
}
