import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { lockFolder } from '@dynaprompt/training';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** What takes long to load, and whoever is refused does not need. */
const heavy = ['bullmq', 'ioredis', '@huggingface/transformers', 'sharp'];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-refusal-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Packages whose code a process has loaded, by what Node says of its coverage. */
async function loadedIn(coverage: string): Promise<ReadonlySet<string>> {
  const names = await readdir(coverage);
  const reports = await Promise.all(names.map((name) => readFile(join(coverage, name), 'utf8')));
  const urls = reports.flatMap((report) =>
    (JSON.parse(report) as { result: { url: string }[] }).result.map(({ url }) => url),
  );
  return new Set(urls.flatMap((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []));
}

describe('a run in a folder that another one works in', () => {
  it('is refused with the name of that one, before anything large is loaded', async () => {
    const lock = await lockFolder(join(folder, 'held'));
    const coverage = join(folder, 'coverage');
    const words = ['run', '--task', 'spam-assassin', '--output', join(folder, 'held')];
    const { status, stderr } = spawnSync(process.execPath, [program, ...words], {
      encoding: 'utf8',
      env: { ...process.env, DEBUG: '', NODE_V8_COVERAGE: coverage },
    });
    await lock.release();
    expect(status).toBe(1);
    expect(stderr).toContain(`another run works in it (process ${process.pid} on `);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    const loaded = await loadedIn(coverage);
    expect(loaded).toContain('commander');
    expect(heavy.filter((name) => loaded.has(name))).toEqual([]);
  }, 60_000);
});
