import { type Keyed, ProcessEndedError, RunProcess } from './run-process.js';

/** What a pool works on. */
export interface PoolOptions<Run extends Keyed, Outcome> {
  /** Module that the child processes run. */
  readonly worker: URL;
  readonly workers: number;
  /** First message to every process. */
  readonly opening: unknown;
  readonly signal: AbortSignal;
  /** Runs that can start, those already handed out included. */
  pending(): readonly Run[];
  /** What a process has open after a run; runs of one group are best done by one process. */
  groupOf(run: Run): string;
  /** Told once for each run, before the next is handed out. */
  finished(run: Run, outcome: Outcome): void;
  /** Outcome of a run whose process ended. */
  failed(message: string): Outcome;
}

interface Worker<Run extends Keyed, Outcome> {
  readonly process: RunProcess<Run, Outcome>;
  /** Of its last run. */
  group: string | undefined;
  run: Run | undefined;
}

/**
 * Does runs in child processes until nothing is pending. A process that ends in the middle of a run fails that run, and another
 * takes its place. Rejects when the signal is raised, with all processes ended.
 */
export function runPool<Run extends Keyed, Outcome>(pool: PoolOptions<Run, Outcome>): Promise<void> {
  return new Promise((resolve, reject) => {
    const workers = new Set<Worker<Run, Outcome>>();
    let over = false;

    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      pool.signal.removeEventListener('abort', stop);
      for (const worker of workers) worker.process.kill();
      settle();
    };
    const stop = (): void => {
      end(() => {
        reject(new Error('stopped', { cause: pool.signal.reason }));
      });
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
    const begin = async (worker: Worker<Run, Outcome>, run: Run): Promise<Outcome> => {
      worker.run = run;
      worker.group = pool.groupOf(run);
      try {
        return await worker.process.run(run);
      } catch (error) {
        workers.delete(worker);
        if (error instanceof ProcessEndedError) return pool.failed(error.message);
        throw error;
      }
    };
    const handOut = (): void => {
      const running = new Set([...workers].map(({ run }) => run?.key));
      const waiting = pool.pending().filter(({ key }) => !running.has(key));
      while (waiting.length > 0) {
        const idle = [...workers].find(({ run }) => run === undefined);
        if (idle === undefined && workers.size >= pool.workers) return;
        const worker = idle ?? start();
        const run = waiting.splice(nextFor(pool, worker, waiting, workers), 1)[0];
        if (run === undefined) return;
        begin(worker, run).then(
          (outcome) => {
            guarded(() => {
              worker.run = undefined;
              pool.finished(run, outcome);
              handOut();
            });
          },
          (error: unknown) => {
            guarded(() => {
              throw error;
            });
          },
        );
      }
      if ([...workers].every(({ run }) => run === undefined)) end(resolve);
    };
    const start = (): Worker<Run, Outcome> => {
      const process = new RunProcess<Run, Outcome>(pool.worker, pool.opening);
      const worker = { process, group: undefined, run: undefined };
      workers.add(worker);
      return worker;
    };
    if (pool.signal.aborted) {
      stop();
      return;
    }
    pool.signal.addEventListener('abort', stop);
    guarded(handOut);
  });
}

/** Index of the run that a worker does next: of the group it has open, else of one that nobody has, else the first. */
function nextFor<Run extends Keyed, Outcome>(
  { groupOf }: Pick<PoolOptions<Run, Outcome>, 'groupOf'>,
  worker: Worker<Run, Outcome>,
  waiting: readonly Run[],
  workers: ReadonlySet<Worker<Run, Outcome>>,
): number {
  const taken = new Set([...workers].filter((other) => other !== worker).map(({ group }) => group));
  const own = waiting.findIndex((run) => groupOf(run) === worker.group);
  const free = waiting.findIndex((run) => !taken.has(groupOf(run)));
  return own >= 0 ? own : Math.max(0, free);
}
