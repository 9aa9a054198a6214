import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { FolderInUseError } from '@dynaprompt/training';

import { claimOutput } from './claim-output.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dynaprompt-claim-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

const given = { json: false, force: false };

describe('claimOutput', () => {
  it('lets one run in, names it to another, and leaves no trace of a run that did nothing', async () => {
    const output = join(root, 'a', 'b');
    const claim = await claimOutput('glue', { ...given, output });
    const refused = claimOutput('glue', { ...given, output });
    await expect(refused).rejects.toBeInstanceOf(FolderInUseError);
    await expect(refused).rejects.toThrow(`process ${process.pid}`);
    await claim.release();
    expect(await readdir(root)).toEqual([]);
  });

  it('leaves a folder that was there', async () => {
    const output = join(root, 'there');
    await mkdir(output);
    await (await claimOutput('glue', { ...given, output })).release();
    expect(await readdir(output)).toEqual([]);
  });

  it('keeps checkpoints, and asks what to do with them', async () => {
    const output = join(root, 'out');
    const place = join(output, 'checkpoints', 'fixed-seed1', 'checkpoint-7');
    const claim = await claimOutput('glue', { ...given, output });
    expect(await claim.hasCheckpoints()).toBe(false);
    await mkdir(place, { recursive: true });
    expect(await claim.hasCheckpoints()).toBe(true);
    await claim.release();
    await expect(claimOutput('glue', { ...given, output })).rejects.toThrow(/interrupted.*--resume.*--force/);
    await (await claimOutput('glue', { ...given, output, resume: true })).release();
    expect(existsSync(place)).toBe(true);
    const anew = await claimOutput('glue', { ...given, output, force: true });
    expect(existsSync(place)).toBe(false);
    await anew.release();
  });

  it('keeps nothing of a run before its first step', async () => {
    const output = join(root, 'out');
    const claim = await claimOutput('glue', { ...given, output });
    await mkdir(join(output, 'checkpoints', 'fixed-seed1', 'checkpoint-0'), { recursive: true });
    await claim.release();
    expect(existsSync(output)).toBe(false);
  });

  it('refuses a folder of others', async () => {
    await writeFile(join(root, 'thesis.tex'), '');
    await expect(claimOutput('glue', { ...given, output: root })).rejects.toThrow('other files');
    expect(await readdir(root)).toEqual(['thesis.tex']);
  });
});
