import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { ConfigurationError, encodeSafetensors } from '@dynaprompt/core';

import { replaceFile } from '../files/replace-file.js';
import { synchroniseFolder } from '../files/synchronise-folder.js';
import { packageName } from '../package-name.js';
import type { Adapter } from './adapter.js';
import { type Description, readDescription, writeDescription } from './description.js';
import { restorePrompt } from './restore.js';
import { requireFinite, tensorsOf } from './tensors.js';

/** Absolute paths of what {@link saveAdapter} wrote. */
export interface SavedAdapter {
  readonly description: string;
  readonly tensors: string;
}

export const descriptionFile = 'dynamic_prompt.json';
export const tensorsFile = 'dynamic_prompt.safetensors';

/** Name of tensors that have not been given their final name yet. */
export function pendingFile(digest: string): string {
  return `dynamic_prompt.${digest.slice(0, 16)}.safetensors`;
}

/**
 * Writes an adapter into a folder, which is created where it is missing; other files in it are left alone. An adapter that is
 * there already is replaced in one move: the description names its tensors by their SHA-256, and the new tensors lie beside
 * it, complete, before it is renamed. Whenever the process dies, the folder holds the old adapter or the new one. One
 * writer at a time.
 *
 * @throws DataError when a tensor is not finite or does not fit the configuration, before anything is written.
 * @throws ConfigurationError when the folder cannot be written.
 */
export async function saveAdapter(folder: string, adapter: Adapter): Promise<SavedAdapter> {
  const target = resolve(folder);
  const paths = { description: join(target, descriptionFile), tensors: join(target, tensorsFile) };
  const tensors = tensorsOf(adapter);
  for (const [name, { values }] of tensors) requireFinite(name, values, paths.tensors);
  if (adapter.configuration !== undefined) await restorePrompt(adapter);
  const bytes = encodeSafetensors(tensors, { format: 'dynaprompt-adapter' });
  const digest = digestOf(bytes);
  const text = writeDescription({ ...descriptionOf(adapter), tensors: digest });
  // What cannot be read back is not written.
  readDescription(JSON.parse(text), paths.description);
  await write(target, paths, { bytes, digest, text });
  return paths;
}

/** Hexadecimal SHA-256. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function descriptionOf({ optimiser, ...adapter }: Adapter): Omit<Description, 'tensors'> {
  return { ...adapter, optimiserStep: optimiser?.step };
}

async function write(
  target: string,
  paths: SavedAdapter,
  { bytes, digest, text }: { readonly bytes: Uint8Array; readonly digest: string; readonly text: string },
): Promise<void> {
  const pending = join(target, pendingFile(digest));
  let created: string | undefined;
  let isDescribed = false;
  try {
    created = await mkdir(target, { recursive: true });
    await replaceFile(pending, bytes);
    await replaceFile(paths.description, text);
    isDescribed = true;
    await rename(pending, paths.tensors);
    await removePending(target);
    await synchroniseFolder(target);
  } catch (cause) {
    if (!isDescribed) await rm(created ?? pending, { recursive: true, force: true }).catch(() => undefined);
    throw new ConfigurationError({
      packageName,
      subject: target,
      problem: `the adapter cannot be written (${(cause as Error).message})`,
      remedy: 'Name a folder in a place that is writable and has space',
      cause,
    });
  }
}

/** Removes tensors that a process left when it died. */
async function removePending(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^dynamic_prompt\.[0-9a-f]{16}\.safetensors$/.test(name)) await rm(join(folder, name));
  }
}
