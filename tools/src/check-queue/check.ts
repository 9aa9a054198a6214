import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { Program } from './program.js';
import { RedisServer } from './redis-server.js';

/** 2 methods × 25 seeds, all of them real training runs of the bundled model. */
const jobs = 50;
const sweep = `tasks: [spam-assassin]
backbones: [mini-bert]
methods: [fixed, dynamic]
seeds: [${Array.from({ length: 25 }, (_, index) => index + 1).join(', ')}]
options: { steps: 4, batch: 8, slots: 3, maxLength: 16, limit: 60, validationLimit: 40 }
`;
const worker = ['--lock', '3', '--grace', '20', '--patience', '60'];
const patience = 300_000;

/** What is checked, and how it came out. */
export interface QueueReport {
  readonly verdict: 'PASS' | 'FAIL';
  readonly checks: Readonly<Record<string, boolean>>;
  readonly jobs: number;
  /** Runs that workers finished, by worker; a job that was taken over may be finished twice. */
  readonly finishedRuns: readonly number[];
  /** Runs finished when the worker, and when the server was killed. */
  readonly killedAt: { readonly worker: number; readonly server: number };
  readonly seconds: number;
  /** What the sweep wrote last; where something is wrong. */
  readonly output?: readonly string[];
}

/**
 * 50 jobs, 3 workers; one is killed on the way, then the server, which is started again. Every result has to arrive once, and to be
 * that of the same job done without a queue.
 */
export async function checkQueue(say: (line: string) => void): Promise<QueueReport> {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'dynaprompt-queue-'));
  const programs: Program[] = [];
  const start = (...words: string[]): Program => {
    const program = new Program(words, folder);
    programs.push(program);
    return program;
  };
  let server: RedisServer | undefined;
  try {
    await writeFile(join(folder, 'sweep.yaml'), sweep);
    server = await RedisServer.start(folder);
    const { url } = server;
    say(`redis-server at ${url}; ${jobs} jobs, 3 workers`);
    const workers = [1, 2, 3].map(() => start('worker', '--queue', url, ...worker));
    const producer = start('sweep', '--config', 'sweep.yaml', '--output', 'queued', '--queue', url);

    const atWorker = await reached(folder, 10, producer);
    workers[0]?.kill('SIGKILL');
    say(`killed a worker at ${atWorker} results`);
    const atServer = await reached(folder, 25, producer);
    await server.kill();
    say(`killed the server at ${atServer} results`);
    await setTimeout(2000);
    await server.start();
    say('started the server again');
    const sweepEnd = await within(producer.ended, 'the sweep');
    say(`the sweep ended with ${sweepEnd.code ?? sweepEnd.signal}`);
    for (const program of workers.slice(1)) program.kill('SIGTERM');
    const workerEnds = await within(Promise.all(workers.map(({ ended }) => ended)), 'the workers');

    const local = start('sweep', '--config', 'sweep.yaml', '--output', 'local');
    const localEnd = await within(local.ended, 'the sweep without a queue');
    const queued = await resultsOf(join(folder, 'queued'));
    const alone = await resultsOf(join(folder, 'local'));
    const checks = {
      'the sweep ends with 0': sweepEnd.code === 0,
      'the killed worker was killed': workerEnds[0]?.signal === 'SIGKILL',
      'the other workers end with 0 at SIGTERM': workerEnds.slice(1).every(({ code }) => code === 0),
      'one file for every job': queued.files.length === jobs,
      'one line of the journal for every job': queued.lines.length === jobs,
      'no job twice in the journal': new Set(queued.lines).size === jobs,
      'every job once in the summary':
        queued.summary.length === jobs && new Set(queued.summary).size === jobs,
      'a sweep without a queue ends with 0': localEnd.code === 0,
      'the same scores without a queue':
        alone.scores.size === jobs &&
        [...alone.scores].every(([key, score]) => queued.scores.get(key) === score),
    };
    const isPass = Object.values(checks).every((isTrue) => isTrue);
    return {
      verdict: isPass ? 'PASS' : 'FAIL',
      checks,
      jobs,
      finishedRuns: workers.map(({ lines }) => lines.filter((line) => line.includes(': done in')).length),
      killedAt: { worker: atWorker, server: atServer },
      seconds: Math.round((performance.now() - began) / 1000),
      ...(isPass ? {} : { output: programs.flatMap(({ lines }) => lines.slice(-5)) }),
    };
  } finally {
    for (const program of programs) program.kill('SIGKILL');
    await server?.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Waits until the sweep has kept so many results; how many there are then. */
async function reached(folder: string, count: number, producer: Program): Promise<number> {
  const deadline = performance.now() + patience;
  for (;;) {
    const names = await readdir(join(folder, 'queued', 'results')).catch(() => []);
    const found = names.filter((name) => name.endsWith('.json')).length;
    if (found >= count) return found;
    if (producer.hasEnded || performance.now() > deadline)
      throw new Error(`only ${found} results: ${producer.lines.slice(-3).join(' | ')}`);
    await setTimeout(20);
  }
}

interface KeptResults {
  readonly files: readonly string[];
  /** Keys in the order of the journal. */
  readonly lines: readonly string[];
  /** Keys in the rows of the summary. */
  readonly summary: readonly string[];
  /** Score and validation curve by key. */
  readonly scores: ReadonlyMap<string, string>;
}

async function resultsOf(folder: string): Promise<KeptResults> {
  const names = (await readdir(join(folder, 'results'))).sort();
  const journal = await readFile(join(folder, 'sweep.jsonl'), 'utf8');
  const entries = journal
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { key: string });
  const { rows } = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')) as {
    rows: { keys: string[] }[];
  };
  const scores = new Map<string, string>();
  for (const name of names) {
    const { key, outcome } = JSON.parse(await readFile(join(folder, 'results', name), 'utf8')) as {
      key: string;
      outcome: { final: number; validation: unknown };
    };
    scores.set(key, JSON.stringify([outcome.final, outcome.validation]));
  }
  return {
    files: names,
    lines: entries.map(({ key }) => key),
    summary: rows.flatMap(({ keys }) => keys),
    scores,
  };
}

async function within<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  const limit = new AbortController();
  const late = setTimeout(patience, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`${what} did not end within ${patience / 1000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    limit.abort();
  }
}
