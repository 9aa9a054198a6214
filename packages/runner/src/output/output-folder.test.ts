import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { requireOutputFolder } from './output-folder.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynaprompt-output-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('requireOutputFolder', () => {
  it('takes a folder that is not there, and does not create it', async () => {
    await requireOutputFolder('glue', join(folder, 'one', 'two'), false);
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes an empty folder', async () => {
    await expect(requireOutputFolder('glue', folder, false)).resolves.toBeUndefined();
  });

  it('refuses a folder with other files unless forced', async () => {
    await writeFile(join(folder, 'thesis.tex'), '');
    await expect(requireOutputFolder('glue', folder, false)).rejects.toThrow('the folder holds other files');
    await expect(requireOutputFolder('glue', folder, true)).resolves.toBeUndefined();
  });

  it('refuses a results.json that is not of this application', async () => {
    await writeFile(join(folder, 'results.json'), '{"app":"glue"}');
    await expect(requireOutputFolder('glue', folder, false)).rejects.toThrow('--force');
  });

  it('refuses a file, and a place below one', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(requireOutputFolder('glue', file, true)).rejects.toThrow('this is a file');
    await expect(requireOutputFolder('glue', join(file, 'below'), true)).rejects.toThrow('is not a folder');
  });

  it('takes a folder below one that is not there yet', async () => {
    await mkdir(join(folder, 'here'));
    await expect(requireOutputFolder('glue', join(folder, 'here', 'a', 'b'), false)).resolves.toBeUndefined();
  });
});
