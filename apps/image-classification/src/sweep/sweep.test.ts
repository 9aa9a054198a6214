import { readdir, readFile, stat } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseResults } from '@dynaprompt/benchmarks';
import type { SweepSummary } from '@dynaprompt/runner';

import { Workplace } from '../program.test.fixture.js';

const methods = ['linear-probe', 'fixed'];
const seeds = [1, 2];
const jobs = methods.length * seeds.length;
const yaml = `
tasks: [image-folder]
folders: { image-folder: shapes }
methods: [${methods.join(', ')}]
seeds: [${seeds.join(', ')}]
options: { steps: 3, batch: 4, slots: 3, augment: crop-flip }
`;
let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open();
  await place.writeShapes('shapes', { train: 5, val: 4 });
  await place.write('sweep.yaml', yaml);
});

afterAll(() => place.remove());

const textOf = (...names: readonly string[]): Promise<string> => readFile(place.path(...names), 'utf8');

async function summaryOf(output: string): Promise<SweepSummary> {
  return JSON.parse(await textOf(output, 'summary.json')) as SweepSummary;
}

async function keysOf(output: string): Promise<readonly string[]> {
  const lines = (await textOf(output, 'sweep.jsonl')).trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { key: string }).key);
}

/** When each result was written, by file. */
async function timesOf(output: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(place.path(output, 'results'));
  const times = names.map(async (name): Promise<[string, number]> => {
    return [name, (await stat(place.path(output, 'results', name))).mtimeMs];
  });
  return new Map(await Promise.all(times));
}

describe('sweep', () => {
  it('trains every method with every seed, goes on after Ctrl-C, and does nothing twice', async () => {
    const words = 'sweep --config sweep.yaml --workers 1 --output out';
    const stopped = await place.run(words, { interruptAt: `[1/${jobs}]` });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/stopped; the finished runs are kept in .*sweep\.jsonl/);
    const before = await keysOf('out');
    const timesBefore = await timesOf('out');
    expect(before.length).toBeLessThan(jobs);

    const resumed = await place.run(words);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.stdout).toContain(`${jobs} jobs, ${before.length} of them done before`);
    const keys = await keysOf('out');
    expect(keys.slice(0, before.length)).toEqual(before);
    expect([keys.length, new Set(keys).size]).toEqual([jobs, jobs]);
    const times = await timesOf('out');
    expect([...times.keys()].sort()).toEqual(keys.map((key) => `${key}.json`).sort());
    for (const [name, time] of timesBefore) expect(times.get(name)).toBe(time);

    const journal = await textOf('out', 'sweep.jsonl');
    const again = await place.warm(words);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(`${jobs} jobs, ${jobs} of them done before`);
    expect(await textOf('out', 'sweep.jsonl')).toBe(journal);
    expect(await timesOf('out')).toEqual(times);
  }, 240_000);

  it('gives the scores of the same runs, two at a time', async () => {
    const swept = await place.run('sweep --config sweep.yaml --workers 2 --output pool');
    expect({ code: swept.code, stderr: swept.stderr }).toEqual({ code: 0, stderr: '' });
    const words =
      `run --task image-folder --data shapes --methods ${methods.join(',')} --seeds ${seeds.join(',')} ` +
      '--steps 3 --batch 4 --slots 3 --augment crop-flip --json --output runs';
    const { code, stdout } = await place.warm(words);
    expect(code).toBe(0);
    const ran = parseResults(JSON.parse(stdout), 'stdout').methods;
    const { rows, jobs: counted } = await summaryOf('pool');
    expect(counted).toEqual({ planned: jobs, finished: jobs, failed: 0 });
    expect(rows.map(({ method, seeds: named, final }) => [method, named, final])).toEqual(
      methods.map((method) => [method, seeds, ran[method]?.final]),
    );
  }, 240_000);
});
