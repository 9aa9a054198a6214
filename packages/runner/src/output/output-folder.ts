import { access, constants, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { readResults } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Folder of checkpoints within an output folder. */
export const checkpointsName = 'checkpoints';

/**
 * Makes sure, before anything is computed, that results can be written to a folder later. Nothing is created.
 *
 * @param application name of the application whose earlier results may be replaced.
 * @throws ConfigurationError where the folder cannot be written, or holds something else than an earlier result.
 */
export async function requireOutputFolder(
  application: string,
  output: string,
  force: boolean,
): Promise<void> {
  const folder = resolve(output);
  if (!(await requireWritableFolder(output))) return;
  const entries = await readdir(folder);
  // What a run that is under way, or was interrupted, leaves there.
  const others = entries.filter((name) => name !== checkpointsName && !name.startsWith('run.lock'));
  if (force || others.length === 0 || (await isOurs(application, folder))) return;
  throw unusable(
    output,
    'the folder holds other files',
    'Name another folder, or write into this one with --force',
  );
}

/**
 * Makes sure that files can be written into a folder later, whatever is in it. Nothing is created.
 *
 * @returns whether the folder is there.
 * @throws ConfigurationError where it cannot be written.
 */
export async function requireWritableFolder(output: string): Promise<boolean> {
  const folder = resolve(output);
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) {
    await requireWritable(output, await nearestFolder(dirname(folder)));
    return false;
  }
  if (!found.isDirectory()) throw unusable(output, 'this is a file', 'Name a folder');
  await requireWritable(output, folder);
  return true;
}

async function isOurs(application: string, folder: string): Promise<boolean> {
  return readResults(join(folder, 'results.json')).then(
    ({ app }) => app === application,
    () => false,
  );
}

async function nearestFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  return found === undefined && dirname(folder) !== folder ? nearestFolder(dirname(folder)) : folder;
}

async function requireWritable(output: string, folder: string): Promise<void> {
  const isFolder = (await stat(folder).catch(() => undefined))?.isDirectory() ?? false;
  if (!isFolder) throw unusable(output, `${folder} is not a folder`, 'Name a folder in a place that exists');
  const isWritable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) throw unusable(output, `${folder} cannot be written`, 'Name a folder in a writable place');
}

function unusable(output: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject: `--output ${output}`, problem, remedy });
}
