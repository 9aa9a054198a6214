import { ProcessEndedError, RunProcess } from '../process/run-process.js';
import type { SweepJob } from '../sweep/jobs.js';
import type { SweepOpening } from '../sweep/serve-sweep.js';
import { type JobResult, isFinished, SweepStore, writeResult } from '../sweep/store.js';
import type { Outcome } from '../study/run-plan.js';
import type { JobAnswer, JobFeed } from './contract.js';

/** Does a job somewhere else than in this event loop, which has to keep in touch with the queue. */
export interface JobPerformer {
  /** @throws ProcessEndedError where the process that did it ended. */
  run(job: SweepJob): Promise<Outcome>;
  kill(): void;
}

export interface WorkerOptions {
  /** Milliseconds that a job may take to end after the signal, before it is given back. */
  readonly grace: number;
  /** Milliseconds without a job after which the worker ends; absent: never. */
  readonly idle?: number | undefined;
  /** Folder that results are written into as well, such as one that all machines share. */
  readonly results?: string | undefined;
  readonly machine: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** A process for one job after the other. */
  readonly start: () => JobPerformer;
}

/** A performer in a child process. @param module calls `serveSweep`. */
export function childPerformer(module: URL, dataRoot: string): JobPerformer {
  return new RunProcess<SweepJob, Outcome>(module, { type: 'open', dataRoot } satisfies SweepOpening);
}

/** Does jobs of a queue until the signal is raised, or there is nothing to do for long; after the signal the jobs at hand are finished within the grace, or given back. */
export async function runWorker(feed: JobFeed, options: WorkerOptions): Promise<void> {
  const { signal, grace, machine, results, say } = options;
  const idle: JobPerformer[] = [];
  const busy = new Set<JobPerformer>();
  let returning = false;
  const quiet = new QuietTime(options.idle, signal);
  const answer = async (job: SweepJob): Promise<JobAnswer> => {
    if (signal.aborted) return { kind: 'returned' };
    const performer = idle.pop() ?? options.start();
    busy.add(performer);
    quiet.interrupt();
    try {
      const outcome = await performer.run(job);
      idle.push(performer);
      const result = SweepStore.resultOf(job, outcome, machine);
      if (results !== undefined && isFinished(result)) await writeResult(results, result);
      say(lineOf(result));
      return { kind: 'result', result };
    } catch (error) {
      if (!(error instanceof ProcessEndedError)) throw error;
      if (returning) say(`${job.key.slice(0, 12)} goes back`);
      return returning ? { kind: 'returned' } : { kind: 'crashed', message: error.message };
    } finally {
      busy.delete(performer);
      if (busy.size === 0) quiet.begin();
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    say(`stopping; jobs at hand may take ${Math.round(grace / 1000)} s to finish`);
    timer = setTimeout(() => {
      returning = true;
      for (const performer of busy) performer.kill();
    }, grace);
  };
  signal.addEventListener('abort', stop, { once: true });
  quiet.begin();
  try {
    await feed.serve(answer, quiet.signal);
  } finally {
    quiet.interrupt();
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
    for (const performer of [...idle, ...busy]) performer.kill();
  }
}

/** Raises a signal when nothing has interrupted it for so many milliseconds, and with another one. */
class QuietTime {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly milliseconds: number | undefined,
    other: AbortSignal,
  ) {
    const raise = (): void => {
      this.controller.abort();
    };
    if (other.aborted) raise();
    else other.addEventListener('abort', raise, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  begin(): void {
    if (this.milliseconds === undefined) return;
    this.timer = setTimeout(() => {
      this.controller.abort();
    }, this.milliseconds);
  }

  interrupt(): void {
    clearTimeout(this.timer);
  }
}

function lineOf({ key, identity, outcome }: JobResult): string {
  const { task, method, seed } = identity;
  const what = `${key.slice(0, 12)} ${task} ${method} seed ${seed}`;
  return outcome.ok
    ? `${what}: done in ${outcome.seconds.toFixed(1)} s`
    : `${what}: failed: ${outcome.message}`;
}
