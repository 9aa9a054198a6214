import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ConfigurationError, DataError } from '@dynaprompt/core';

import { contentAt } from '../testing/checkpoint-content.test.fixture.js';
import { CheckpointFolder } from './checkpoint-folder.js';

let folder: string;
let checkpoints: CheckpointFolder;

async function open(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-checkpoints-'));
  checkpoints = new CheckpointFolder(folder, 2);
}

beforeEach(open);

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Reads the newest, with what is complained of. */
async function newest(): Promise<{ readonly step: number | undefined; readonly complaints: string[] }> {
  const complaints: string[] = [];
  const content = await new CheckpointFolder(folder, 2).readNewest((message) => complaints.push(message));
  if (content !== undefined) expect(content).toEqual(contentAt(content.state.step));
  return { step: content?.state.step, complaints };
}

/** Changes one byte in the middle of a file. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 4;
  await writeFile(path, bytes);
}

describe('a folder of checkpoints', () => {
  it('gives back what was written, bit for bit', async () => {
    expect(await checkpoints.write(contentAt(5))).toBe(join(folder, 'checkpoint-5'));
    expect(await checkpoints.read(5)).toEqual(contentAt(5));
    const state = JSON.parse(await readFile(join(folder, 'checkpoint-5', 'state.json'), 'utf8')) as object;
    expect(state).toMatchObject({ step: 5, run: { method: 'drawn', seed: 1 }, best: { step: 3 } });
    expect((await readdir(join(folder, 'checkpoint-5'))).sort()).toEqual([
      'manifest.json',
      'optimiser.safetensors',
      'parameters.safetensors',
      'state.json',
    ]);
  });

  it('keeps the newest ones, and the best parameters that they go with', async () => {
    for (const step of [2, 4, 5, 9]) await checkpoints.write(contentAt(step));
    expect((await readdir(folder)).sort()).toEqual(['best-3', 'best-9', 'checkpoint-5', 'checkpoint-9']);
    expect(await newest()).toEqual({ step: 9, complaints: [] });
    const more = new CheckpointFolder(folder, 3);
    for (const step of [10, 11, 100]) await more.write(contentAt(step));
    expect(await more.steps()).toEqual([100, 11, 10]);
    expect((await readdir(folder)).filter((name) => name.startsWith('best')).sort()).toEqual([
      'best-9',
      'best-99',
    ]);
  });

  it.each(['state.json', 'parameters.safetensors', 'optimiser.safetensors', 'manifest.json'])(
    'goes back to the one before and says so where %s is damaged',
    async (file) => {
      for (const harm of [
        (path: string) => flip(path),
        (path: string) => truncate(path, 100),
        (path: string) => truncate(path, 0),
        (path: string) => rm(path),
      ]) {
        for (const step of [4, 7]) await checkpoints.write(contentAt(step));
        await harm(join(folder, 'checkpoint-7', file));
        const { step, complaints } = await newest();
        expect(step).toBe(4);
        expect(complaints).toHaveLength(1);
        expect(complaints[0]).toContain(`${join(folder, 'checkpoint-7')} is damaged`);
        expect(complaints[0]).toContain('going back to the checkpoint of step 4');
        expect(await readdir(folder)).toContain('checkpoint-7.damaged');
        // The sound one is not pushed out by the damaged one.
        const again = new CheckpointFolder(folder, 2);
        await again.write(contentAt(5));
        expect(await again.steps()).toEqual([5, 4]);
        await rm(folder, { recursive: true });
        await open();
      }
    },
  );

  it('goes back where the best parameters of a checkpoint are damaged', async () => {
    for (const step of [4, 7]) await checkpoints.write(contentAt(step));
    await flip(join(folder, 'best-6', 'parameters.safetensors'));
    const { step, complaints } = await newest();
    expect(step).toBe(4);
    expect(complaints[0]).toContain('best-6');
  });

  it('refuses where all are damaged, and leaves them as they are', async () => {
    for (const step of [4, 7]) {
      await checkpoints.write(contentAt(step));
      await flip(join(folder, `checkpoint-${step}`, 'state.json'));
    }
    await expect(newest()).rejects.toThrow(DataError);
    await expect(newest()).rejects.toThrow('state.json is truncated or changed');
    expect(await checkpoints.steps()).toEqual([7, 4]);
    await rm(folder, { recursive: true });
    await open();
    expect(await newest()).toEqual({ step: undefined, complaints: [] });
  });

  it('takes a later format for no damage', async () => {
    await checkpoints.write(contentAt(4));
    const path = join(folder, 'checkpoint-4', 'manifest.json');
    const manifest = await readFile(path, 'utf8');
    await writeFile(path, manifest.replace('"format_version": 1', '"format_version": 2'));
    await expect(newest()).rejects.toThrow(ConfigurationError);
    await expect(newest()).rejects.toThrow('its format has version 2');
  });

  it('removes what a dead process left half-written, and nothing else', async () => {
    await checkpoints.write(contentAt(4));
    await cp(join(folder, 'checkpoint-4'), join(folder, 'checkpoint-7.123.0123456789ab.tmp'), {
      recursive: true,
    });
    await writeFile(join(folder, 'notes.tmp'), 'mine');
    expect((await newest()).step).toBe(4);
    await checkpoints.tidy();
    expect((await readdir(folder)).sort()).toEqual(['best-3', 'checkpoint-4', 'notes.tmp']);
  });

  it('leaves the one before as it is where the next does not fit, and says so by a typed error', async () => {
    const program = fileURLToPath(
      new URL('../../dist/testing/limited-writer.test.fixture.js', import.meta.url),
    );
    // 1024-byte blocks: files of more than 64 KiB fail in mid-write, as on a full disk; the signal that says so is ignored.
    const script = 'trap "" XFSZ; ulimit -f 64; exec "$@"';
    const words = ['-c', script, 'bash', process.execPath, program, folder, '8'];
    const { stdout } = await promisify(execFile)('bash', words);
    const [first, second] = stdout.split('\n');
    expect(first).toBe('3: written');
    expect(second).toContain('6: CheckpointWriteError EFBIG');
    expect(second).toContain(`${join(folder, 'checkpoint-6')}: the checkpoint cannot be written`);
    expect((await readdir(folder)).sort()).toEqual(['best-3', 'best-6', 'checkpoint-3']);
    expect((await newest()).complaints).toEqual([]);
  });
});
