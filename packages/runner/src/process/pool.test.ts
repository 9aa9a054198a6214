import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type PoolOptions, runPool } from './pool.js';
import type { Keyed } from './run-process.js';

interface ToyRun extends Keyed {
  readonly group: string;
}

let folder: string;
let worker: URL;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-pool-'));
  const path = join(folder, 'worker.mjs');
  // Answers with its own process and what it was opened with; a run called `die` ends it.
  await writeFile(
    path,
    `let opening;
    process.on('message', (request) => {
      if (request.type === 'open') { opening = request; return; }
      const { key } = request.run;
      if (key.startsWith('die')) process.kill(process.pid, 'SIGKILL');
      else if (!key.startsWith('hang')) process.send({ key, outcome: { pid: process.pid, opening: opening.text } });
    });
    process.on('disconnect', () => process.exit());`,
  );
  worker = pathToFileURL(path);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface ToyOutcome {
  readonly pid?: number;
  readonly opening?: string;
  readonly message?: string;
}

async function pool(
  runs: readonly ToyRun[],
  changes: Partial<PoolOptions<ToyRun, ToyOutcome>> = {},
): Promise<Map<string, ToyOutcome>> {
  const outcomes = new Map<string, ToyOutcome>();
  await runPool<ToyRun, ToyOutcome>({
    worker,
    workers: 2,
    opening: { type: 'open', text: 'hello' },
    signal: new AbortController().signal,
    groupOf: ({ group }) => group,
    pending: () => runs.filter(({ key }) => !outcomes.has(key)),
    finished: ({ key }, outcome) => {
      if (outcomes.has(key)) throw new Error(`${key} was told twice`);
      outcomes.set(key, outcome);
    },
    failed: (message) => ({ message }),
    ...changes,
  });
  return outcomes;
}

describe('runPool', () => {
  it('does every run once, those of a group in one process', async () => {
    const runs = ['a', 'b'].flatMap((group) =>
      [1, 2, 3, 4].map((index) => ({ key: `${group}${index}`, group })),
    );
    const outcomes = await pool(runs);
    expect([...outcomes.keys()].sort()).toEqual(runs.map(({ key }) => key).sort());
    expect(new Set([...outcomes.values()].map(({ opening }) => opening))).toEqual(new Set(['hello']));
    const pids = new Set([...outcomes.values()].map(({ pid }) => pid));
    expect(pids.size).toBeLessThanOrEqual(2);
  });

  it('fails the run of a process that dies, and goes on with another', async () => {
    const runs = ['one', 'die', 'two', 'three'].map((key) => ({ key, group: 'a' }));
    const outcomes = await pool(runs, { workers: 1 });
    expect(outcomes.get('die')).toEqual({ message: 'the process of the run was ended by SIGKILL' });
    expect(outcomes.get('three')?.opening).toBe('hello');
    expect(outcomes.get('three')?.pid).not.toBe(outcomes.get('one')?.pid);
  });

  it('ends its processes when the signal is raised', async () => {
    const stop = new AbortController();
    const waiting = pool([{ key: 'hang', group: 'a' }], { signal: stop.signal });
    setTimeout(() => {
      stop.abort(new Error('enough'));
    }, 50);
    await expect(waiting).rejects.toMatchObject({ message: 'stopped', cause: new Error('enough') });
  });

  it('fails when a result cannot be kept', async () => {
    const refuse = (): void => {
      throw new Error('disk full');
    };
    await expect(pool([{ key: 'a', group: 'a' }], { finished: refuse })).rejects.toThrow('disk full');
  });
});
