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
import { type Adapter, loadAdapter, requireBackbone, restorePrompt } from '@dynaprompt/training';

import { packageName } from '../package-name.js';
import { type Arithmetic, arithmeticsOf } from './arithmetic.js';
import { type BundledPlace, placeOf } from './place.js';

/** Which adapter to use, and on what. */
export interface AdapterOptions {
  /** Folder that `saveAdapter` wrote. */
  readonly folder: string;
  /** Folder, hub id or bundled name; default: the name that the adapter has kept. */
  readonly backbone: string | undefined;
  readonly anyRevision: boolean;
}

/** Where the backbone of an adapter is, and how it was opened for training. */
export interface AdapterPlace extends Arithmetic {
  readonly location: string;
  /** Prompt slots to leave room for. */
  readonly slots: number;
}

/** How an application opens the backbone of an adapter. */
export interface AdapterOpener<Example> {
  readonly bundled: readonly BundledPlace[];
  /** @throws DataError when the application has no such head, ModelError when the backbone cannot be opened. */
  open(adapter: Adapter, place: AdapterPlace): Promise<FrozenBackbone<Example>>;
}

/** An adapter on its backbone, ready to predict. */
export interface OpenAdapter<Example> {
  readonly adapter: Adapter;
  readonly backbone: FrozenBackbone<Example>;
  /** Absent where the adapter is a head alone. */
  readonly prompt: DynamicPrompt | undefined;
  readonly place: AdapterPlace;
}

/**
 * Loads an adapter and opens its backbone, which the caller has to release.
 *
 * @throws DataError when the folder holds no usable adapter.
 * @throws ModelError, ConfigurationError when the backbone cannot be opened, or is not the adapter's.
 */
export async function openAdapter<Example>(
  { folder, anyRevision, backbone: wanted }: AdapterOptions,
  opener: AdapterOpener<Example>,
): Promise<OpenAdapter<Example>> {
  const adapter = await loadAdapter(folder).catch(async (error: unknown) => {
    throw (await betterError(folder, error)) ?? error;
  });
  const location = wanted ?? locationOf(adapter, opener.bundled);
  const slots = adapter.configuration?.slots ?? 0;
  await selectBackend();
  // An adapter answers in the arithmetic that it was trained in.
  const [likeliest, ...others] = arithmeticsOf(adapter.backbone.dtype);
  const open = (arithmetic: Arithmetic): Promise<OpenAdapter<Example>> =>
    openAt(adapter, { location, slots, ...arithmetic }, opener, anyRevision);
  let opening = open(likeliest);
  for (const arithmetic of others) {
    opening = opening.catch((first: unknown) =>
      open(arithmetic).catch(() => {
        throw first;
      }),
    );
  }
  return opening;
}

/** Opens the backbone at one place, and releases it where it is not the adapter's. */
async function openAt<Example>(
  adapter: Adapter,
  place: AdapterPlace,
  opener: AdapterOpener<Example>,
  anyRevision: boolean,
): Promise<OpenAdapter<Example>> {
  const backbone = await opener.open(adapter, place);
  try {
    requireBackbone(adapter, backbone, { anyRevision });
    const prompt = adapter.configuration && collapse(await restorePrompt(adapter));
    return { adapter, backbone, prompt, place };
  } catch (error) {
    await backbone.release();
    throw error;
  }
}

/** Where the backbone of an adapter is looked for. @throws ConfigurationError when its name says nothing. */
function locationOf(
  { backbone: { name, commit }, method }: Adapter,
  bundled: readonly BundledPlace[],
): string {
  if (commit !== undefined && !existsSync(name)) return `${name}@${commit}`;
  // A hub id has an owner; what has none is the last part of a folder's path.
  if (name.includes('/') || existsSync(name) || placeOf(name, bundled) !== name) return name;
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
