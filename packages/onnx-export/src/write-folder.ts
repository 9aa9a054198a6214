import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from './package-name.js';

/**
 * Fills a new folder, all or nothing: it appears under its name when `fill` has succeeded.
 * @param fill writes into the folder that it is given.
 * @throws ConfigurationError if `target` is a file or a folder that holds something.
 */
export async function writeFolder(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const path = resolve(target);
  await refuseOccupied(path);
  await mkdir(dirname(path), { recursive: true });
  // Beside the target, because a rename does not cross file systems.
  const workplace = await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  try {
    const folder = join(workplace, 'folder');
    await mkdir(folder);
    await fill(folder);
    if (await refuseOccupied(path)) await rmdir(path);
    await rename(folder, path);
  } finally {
    await rm(workplace, { recursive: true, force: true });
  }
}

/** Whether there is an empty folder. */
async function refuseOccupied(path: string): Promise<boolean> {
  let entries: readonly string[];
  try {
    entries = await readdir(path);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw occupied(path, 'this is no folder that can be read', failure);
  }
  if (entries.length > 0) throw occupied(path, 'the folder is not empty');
  return true;
}

function occupied(path: string, problem: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError({
    packageName: PACKAGE_NAME,
    subject: path,
    problem,
    remedy: 'Name a folder that does not exist yet, or an empty one',
    ...(cause === undefined ? {} : { cause }),
  });
}
