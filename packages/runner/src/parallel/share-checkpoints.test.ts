import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { nullThrows } from '@dynaprompt/core';

import type { CheckpointPlan } from '../comparison/runs.js';
import { Meeting } from './meeting.js';
import { shareCheckpoints, type SharedCheckpoints } from './share-checkpoints.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-shared-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

/** What two ranks are given. */
async function share(plan: CheckpointPlan): Promise<readonly SharedCheckpoints[]> {
  const meeting = new Meeting(2);
  return Promise.all([
    shareCheckpoints(meeting.channel(0), 7, plan),
    shareCheckpoints(meeting.channel(1), 7),
  ]);
}

describe('shareCheckpoints', () => {
  it('gives the others the checkpoints of rank 0, and nothing else of its folder', async () => {
    const files: Record<string, Uint8Array> = {
      'fixed-seed1/checkpoint-20/state.safetensors': Uint8Array.from({ length: 999 }, (_, index) => index),
      'fixed-seed1/checkpoint-20/manifest.json': Buffer.from('{}'),
      'fixed-seed1/best-10/empty': new Uint8Array(0),
      'dynamic-seed2/checkpoint-5/manifest.json': Buffer.from('{"é": 1}'),
    };
    for (const [name, content] of Object.entries(files)) await write(name, content);
    await write('fixed-seed1/checkpoint-30.12.ab.tmp/state.safetensors', Buffer.from('half'));
    await write('fixed-seed1/checkpoint-9.damaged/state.safetensors', Buffer.from('bad'));
    await write('fixed-seed1/.lock', Buffer.from('mine'));
    const plan = { folder, everySteps: 5, resume: true };
    const [first, second] = await share(plan);
    expect(first?.plan).toBe(plan);
    const copy = nullThrows(second?.plan, 'the other rank resumes');
    expect(copy.resume).toBe(true);
    expect(copy.folder).not.toBe(folder);
    const found = await readdir(copy.folder, { recursive: true });
    expect(found.filter((name) => name.split('/').length === 3).sort()).toEqual(Object.keys(files).sort());
    for (const [name, content] of Object.entries(files)) {
      expect(Buffer.compare(await readFile(join(copy.folder, name)), content)).toBe(0);
    }
    await first?.close();
    await second?.close();
    await expect(stat(copy.folder)).rejects.toThrow('ENOENT');
    expect((await stat(folder)).isDirectory()).toBe(true);
  });

  it.each([
    ['nothing is to be resumed', 'fixed-seed1/checkpoint-20/state', false],
    ['there is nothing', 'fixed-seed1/notes.txt', true],
  ])('leaves the others without a folder where %s', async (_, name, resume) => {
    await write(name, Buffer.from('1'));
    const [first, second] = await share({ folder, everySteps: undefined, resume });
    expect(first?.plan?.folder).toBe(folder);
    expect(second?.plan).toBeUndefined();
  });

  it('writes nothing outside the folder', async () => {
    const meeting = new Meeting(2);
    const names = ['../checkpoint-1/evil', 'fixed-seed1/checkpoint-1/../../../evil', '/checkpoint-1/evil'];
    const header = Buffer.from(JSON.stringify(names.map((name) => ({ name, length: 1 }))));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const [shared] = await Promise.all([
      shareCheckpoints(meeting.channel(1), 0),
      meeting.offer(0, 0, Buffer.concat([length, header, Buffer.from('xyz')])),
    ]);
    expect(shared.plan).toBeUndefined();
  });
});
