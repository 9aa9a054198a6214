import { join } from 'node:path';

import { formatTable } from '@dynaprompt/benchmarks';

import { claimFolder } from '../output/claim-folder.js';
import { requireWritableFolder } from '../output/output-folder.js';
import { replaceFile } from '../output/replace-file.js';
import { machineOf } from '../process/machine.js';
import { runPool } from '../process/pool.js';
import { StudyStoppedError } from '../process/stopped.js';
import type { JobQueue } from '../queue/contract.js';
import { collectFromQueue } from '../queue/collect.js';
import type { StudyOptions } from '../study/options.js';
import type { Outcome } from '../study/run-plan.js';
import { JobsFailedError } from './errors.js';
import { readSweepFile } from './file.js';
import type { SweepJob } from './jobs.js';
import type { SweepApplication } from './options.js';
import { loadingKey, planSweep, type SweepDomain } from './plan.js';
import type { SweepOpening } from './serve-sweep.js';
import { type JobResult, SweepStore } from './store.js';
import { settingText, summarizeSweep, type SweepSummary, summaryTable } from './summary.js';

/** Where a sweep reads and writes, and who does its jobs; changes no result. */
export interface SweepPlaces {
  /** YAML file. */
  readonly config: string;
  /** Folder of journal, results and summary. */
  readonly output: string;
  /** Folder that the folders of the tasks lie in. */
  readonly dataRoot: string;
  /** Child processes, each with one thread; without a queue only. */
  readonly workers: number;
  /** Opens the queue whose workers do the jobs; absent: child processes of this one. */
  readonly openQueue?: (() => Promise<JobQueue>) | undefined;
  /** Jobs that failed earlier are tried again. */
  readonly retryFailed: boolean;
}

/**
 * Does all jobs of a sweep that its folder does not know yet, then writes `summary.json` and shows the table.
 *
 * @param worker module that calls `serveSweep` with the same domain.
 * @throws StudyStoppedError when the signal ended it; what is finished is kept, and the same command goes on.
 * @throws JobsFailedError after the summary was written, where jobs failed.
 * @throws FolderInUseError at once, naming the holder, where another sweep works in the folder.
 */
export async function runSweep<Example, Options extends StudyOptions>(
  domain: SweepDomain<Example, Options>,
  application: SweepApplication<Options>,
  worker: URL,
  places: SweepPlaces,
  signal: AbortSignal,
): Promise<SweepSummary> {
  const file = await readSweepFile(places.config);
  await requireWritableFolder(places.output);
  const claim = await claimFolder(places.output);
  let queue: JobQueue | undefined;
  try {
    queue = await places.openQueue?.();
    const plan = await planSweep(domain, application, file, places.dataRoot);
    const store = await SweepStore.open(places.output);
    const jobs = new Map(plan.jobs.map((job) => [job.key, job]));
    const retried = new Set<string>();
    const isPending = ({ key }: SweepJob): boolean => {
      const outcome = store.results.get(key)?.outcome;
      return outcome === undefined || (!outcome.ok && places.retryFailed && !retried.has(key));
    };
    const todo = plan.jobs.filter(isPending);
    say(`${plan.jobs.length} jobs, ${plan.jobs.length - todo.length} of them done before`);
    const finished = async (result: JobResult): Promise<void> => {
      retried.add(result.key);
      await store.keep(result);
      const done = plan.jobs.filter((job) => !isPending(job)).length;
      say(`[${done}/${plan.jobs.length}] ${lineOf(jobs.get(result.key), result)}`);
    };
    try {
      if (queue === undefined) {
        await doLocally(
          worker,
          places,
          plan.jobs,
          isPending,
          machineOf(domain.application),
          finished,
          signal,
        );
      } else {
        await collectFromQueue(queue, todo, { retryFailed: places.retryFailed, signal, finished });
      }
    } catch (error) {
      throw signal.aborted
        ? new StudyStoppedError(join(places.output, 'sweep.jsonl'), error, 'sweep')
        : error;
    }
    const summary = summarizeSweep(`${domain.application.name}-sweep`, plan, store.results);
    const path = join(places.output, 'summary.json');
    await replaceFile(path, `${JSON.stringify(summary, null, 2)}\n`);
    say(`\n${formatTable(summaryTable(summary))}\n\nsummary  ${path}\nresults  ${store.resultsFolder}`);
    for (const { task, method, varied, seed, message } of summary.failures)
      say(`failed   ${task} ${method}, ${settingText(varied)}, seed ${seed}: ${message}`);
    if (summary.failures.length > 0) throw new JobsFailedError(summary.failures, path);
    return summary;
  } finally {
    await queue?.close();
    await claim.release();
  }
}

/** Does jobs in child processes of this one. */
async function doLocally(
  worker: URL,
  { workers, dataRoot }: SweepPlaces,
  jobs: readonly SweepJob[],
  isPending: (job: SweepJob) => boolean,
  machine: string,
  finished: (result: JobResult) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  // The pool hands out the next job at once; files are written one after the other behind it.
  let written = Promise.resolve();
  // What cannot be written ends the sweep; raised by the signal too.
  const ending = new AbortController();
  const stop = (): void => {
    ending.abort(signal.reason);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const done = new Set<string>();
  await runPool<SweepJob, Outcome>({
    worker,
    workers,
    opening: { type: 'open', dataRoot } satisfies SweepOpening,
    signal: ending.signal,
    groupOf: ({ loading }) => loadingKey(loading),
    pending: () => jobs.filter((job) => !done.has(job.key) && isPending(job)),
    failed: (message) => ({ ok: false, message }),
    finished: (job, outcome) => {
      done.add(job.key);
      written = written.then(() => finished(SweepStore.resultOf(job, outcome, machine)));
      written.catch((error: unknown) => {
        ending.abort(error);
      });
    },
  }).finally(() => {
    signal.removeEventListener('abort', stop);
    return written;
  });
}

function lineOf(job: SweepJob | undefined, { identity, outcome }: JobResult): string {
  const { task, method, seed } = identity;
  const backbone = job === undefined ? '' : ` ${job.loading.backbone}`;
  const result = outcome.ok
    ? `${(100 * outcome.final).toFixed(2)} % in ${outcome.seconds.toFixed(1)} s`
    : `failed: ${outcome.message}`;
  return `${task}${backbone} ${method} seed ${seed}: ${result}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
