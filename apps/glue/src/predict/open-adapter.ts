import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

import {
  collapse,
  ConfigurationError,
  DataError,
  type DynamicPrompt,
  type FrozenBackbone,
  selectBackend,
} from '@dynaprompt/core';
import type { TextExample } from '@dynaprompt/text';
import { type Adapter, loadAdapter, requireBackbone, restorePrompt } from '@dynaprompt/training';

import { openBackbone, type OpenOptions, placeOf } from '../backbone.js';
import { packageName } from '../package-name.js';
import { headOptionsOf } from './head-options.js';

/** Which adapter to use, and on what. */
export interface AdapterOptions {
  /** Folder that `saveAdapter` wrote. */
  readonly folder: string;
  /** Folder, hub id or bundled name; default: the name that the adapter has kept. */
  readonly backbone: string | undefined;
  readonly anyRevision: boolean;
  /** Most tokens of a text; default: as many as the model has room for. */
  readonly maxLength: number | undefined;
}

/** An adapter on its backbone, ready to predict. */
export interface OpenAdapter {
  readonly adapter: Adapter;
  readonly backbone: FrozenBackbone<TextExample>;
  /** Absent where the adapter is a head alone. */
  readonly prompt: DynamicPrompt | undefined;
  /** How the backbone was opened, and from where. */
  readonly opened: OpenOptions & { readonly location: string };
}

/**
 * Loads an adapter and opens its backbone, which the caller has to release.
 *
 * @throws DataError when the folder holds no usable adapter.
 * @throws ModelError, ConfigurationError when the backbone cannot be opened, or is not the adapter's.
 */
export async function openAdapter(options: AdapterOptions): Promise<OpenAdapter> {
  const { folder, anyRevision, maxLength } = options;
  const adapter = await loadAdapter(folder).catch(async (error: unknown) => {
    throw (await betterError(folder, error)) ?? error;
  });
  const opened = {
    location: options.backbone ?? locationOf(adapter),
    head: headOptionsOf(adapter, folder),
    slots: adapter.configuration?.slots ?? 0,
    maxLength,
    // An adapter answers in the arithmetic that it was trained in.
    compute: adapter.backbone.dtype === 'int8' ? ('int8' as const) : ('float32' as const),
  };
  await selectBackend();
  const backbone = await openBackbone(opened.location, opened);
  try {
    requireBackbone(adapter, backbone, { anyRevision });
    const prompt = adapter.configuration && collapse(await restorePrompt(adapter));
    return { adapter, backbone, prompt, opened };
  } catch (error) {
    await backbone.release();
    throw error;
  }
}

/** Where the backbone of an adapter is looked for. @throws ConfigurationError when its name says nothing. */
function locationOf({ backbone: { name }, method }: Adapter): string {
  // A hub id has an owner; what has none is the last part of a folder's path.
  if (name.includes('/') || existsSync(name) || placeOf(name) !== name) return name;
  throw new ConfigurationError({
    packageName,
    subject: `adapter ${method} of ${name}`,
    problem: `its backbone ${name} is not bundled, no hub id, and no folder here`,
    remedy: 'Name the folder of the backbone with --backbone',
  });
}

/** Says more of a folder without an adapter, where more can be said. */
async function betterError(folder: string, error: unknown): Promise<DataError | undefined> {
  const { code } = Object((error as Error).cause) as NodeJS.ErrnoException;
  if (code !== 'ENOENT') return undefined;
  const refuse = (problem: string, remedy: string): DataError =>
    new DataError({ packageName, subject: folder, problem, remedy, cause: error });
  if (/^fine-tuning-seed\d+$/.test(basename(resolve(folder)))) {
    return refuse(
      'fine-tuned models are not saved',
      'Name an adapter of a method that leaves the model frozen',
    );
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (folders.length === 0) return undefined;
  return refuse(
    `there is no adapter in it, only the folders ${folders.sort().join(', ')}`,
    'Name one adapter',
  );
}
