import { appendFile, mkdtemp, readdir, readFile, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { DataError, nullThrows } from '@dynaprompt/core';

import type { SweepJob } from './jobs.js';
import { isFinished, SweepStore, writeResult } from './store.js';
import { resultOf, toyPlan } from './sweep.test.fixture.js';

let folder: string;
let jobs: readonly SweepJob[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-store-'));
  ({ jobs } = await toyPlan());
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function job(index: number): SweepJob {
  return nullThrows(jobs[index], 'a job');
}

async function lines(): Promise<number> {
  return (await readFile(join(folder, 'sweep.jsonl'), 'utf8')).split('\n').length - 1;
}

describe('SweepStore', () => {
  it('keeps each result in a line, and what went well in a file', async () => {
    const store = await SweepStore.open(folder);
    await store.keep(resultOf(job(0), 0.5));
    await store.keep(resultOf(job(1), 'no memory'));
    const again = await SweepStore.open(folder);
    expect([...again.results.values()]).toEqual([resultOf(job(0), 0.5), resultOf(job(1), 'no memory')]);
    expect(await readdir(join(folder, 'results'))).toEqual([`${job(0).key}.json`]);
  });

  it('counts a job once: the first result that went well', async () => {
    const store = await SweepStore.open(folder);
    await store.keep(resultOf(job(0), 'no memory'));
    await store.keep(resultOf(job(0), 0.5));
    await store.keep(resultOf(job(0), 0.7));
    await store.keep(resultOf(job(0), 'too late'));
    expect((await SweepStore.open(folder)).results.get(job(0).key)).toEqual(resultOf(job(0), 0.5));
    expect(await lines()).toBe(2);
  });

  it('drops a line that was cut off in writing', async () => {
    const store = await SweepStore.open(folder);
    await store.keep(resultOf(job(0), 0.5));
    await appendFile(join(folder, 'sweep.jsonl'), JSON.stringify(resultOf(job(1), 'x')).slice(0, 50));
    const again = await SweepStore.open(folder);
    expect([...again.results.keys()]).toEqual([job(0).key]);
    await again.keep(resultOf(job(1), 0.6));
    expect((await SweepStore.open(folder)).results.size).toBe(2);
  });

  it('makes up for a line, or a file, that was not written any more', async () => {
    const kept = resultOf(job(0), 0.5);
    if (isFinished(kept)) await writeResult(join(folder, 'results'), kept);
    const store = await SweepStore.open(folder);
    expect(store.results.get(job(0).key)).toEqual(kept);
    expect(await lines()).toBe(1);
    await unlink(join(folder, 'results', `${job(0).key}.json`));
    await SweepStore.open(folder);
    expect(await readdir(join(folder, 'results'))).toEqual([`${job(0).key}.json`]);
    expect(await lines()).toBe(1);
  });

  it('passes over files that are no results, and names a line that is none', async () => {
    const store = await SweepStore.open(folder);
    await store.keep(resultOf(job(0), 0.5));
    await appendFile(join(folder, 'results', `${job(1).key}.json`), '{"key":');
    await appendFile(join(folder, 'results', 'notes.json'), 'mine');
    expect((await SweepStore.open(folder)).results.size).toBe(1);
    await appendFile(join(folder, 'sweep.jsonl'), '{"key":"a"}\n');
    await expect(SweepStore.open(folder)).rejects.toThrow(DataError);
    await expect(SweepStore.open(folder)).rejects.toThrow(/sweep\.jsonl line 2: it is no entry of a sweep/);
  });
});
