import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { LineJournal, notWritten } from '../process/line-journal.js';
import { replaceFile } from '../output/replace-file.js';
import { isObject, isOutcome } from '../study/journal.js';
import type { Failed, Finished, Outcome } from '../study/run-plan.js';
import type { JobIdentity, SweepJob } from './jobs.js';

/** What became of a job: a line of the journal, and where it went well the file `results/KEY.json`. */
export interface JobResult<Given extends Outcome = Outcome> {
  readonly key: string;
  readonly identity: JobIdentity;
  readonly outcome: Given;
  /** Node, processor and system that it ran on. */
  readonly machine: string;
}

/** A job that went well. */
export type FinishedJob = JobResult<Finished>;

/** What a sweep knows of its jobs, on disk: one journal, and one file for every job that went well. */
export class SweepStore {
  private constructor(
    private readonly folder: string,
    private readonly journal: LineJournal<JobResult>,
  ) {}

  /**
   * Reads what there is. Where the process was killed between a file and its line, the other is made up for.
   *
   * @throws DataError naming a line of the journal that is none.
   */
  static async open(folder: string): Promise<SweepStore> {
    const journal = await LineJournal.read(join(folder, 'sweep.jsonl'), {
      owner: 'a sweep',
      isEntry: isResult,
    });
    const store = new SweepStore(folder, journal);
    const files = await readResultFiles(join(folder, 'results'));
    for (const result of files.values()) {
      if (journal.entries.get(result.key)?.outcome.ok !== true) journal.append(result);
    }
    for (const result of journal.entries.values()) {
      if (isFinished(result) && !files.has(result.key)) await writeResult(join(folder, 'results'), result);
    }
    return store;
  }

  get results(): ReadonlyMap<string, JobResult> {
    return this.journal.entries;
  }

  get resultsFolder(): string {
    return join(this.folder, 'results');
  }

  /** Keeps a result; of several for one job the first that went well counts. @throws ConfigurationError where it cannot be written. */
  async keep(result: JobResult): Promise<void> {
    if (this.journal.entries.get(result.key)?.outcome.ok === true) return;
    if (isFinished(result)) await writeResult(this.resultsFolder, result);
    this.journal.append(result);
  }

  /** Makes of an outcome a result. */
  static resultOf({ key, identity }: SweepJob, outcome: Outcome, machine: string): JobResult {
    return { key, identity, outcome, machine };
  }
}

export function isFinished(result: JobResult): result is FinishedJob {
  return result.outcome.ok;
}

export function isFailed(result: JobResult): result is JobResult<Failed> {
  return !result.outcome.ok;
}

/** Writes `KEY.json`, whole or not at all. @throws ConfigurationError where it cannot be written. */
export async function writeResult(folder: string, result: FinishedJob): Promise<void> {
  const path = join(folder, `${result.key}.json`);
  await replaceFile(path, `${JSON.stringify(result, null, 2)}\n`).catch((cause: unknown) => {
    throw notWritten(path, cause);
  });
}

/** Results that lie in a folder by key; files that are none are passed over. */
async function readResultFiles(folder: string): Promise<ReadonlyMap<string, JobResult>> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const results = new Map<string, JobResult>();
  for (const name of names.filter((file) => /^[0-9a-f]{64}\.json$/.test(file))) {
    const result = await readResult(folder, name.slice(0, -'.json'.length));
    if (result !== undefined) results.set(result.key, result);
  }
  return results;
}

/** The result of a job where its file is there and whole. */
export async function readResult(folder: string, key: string): Promise<FinishedJob | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, `${key}.json`), 'utf8'));
    return isResult(value) && value.key === key && isFinished(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isResult(value: unknown): value is JobResult {
  if (!isObject(value) || !isObject(value.identity)) return false;
  return typeof value.key === 'string' && typeof value.machine === 'string' && isOutcome(value.outcome);
}
