import { join } from 'node:path';

import { decodeSafetensors } from '@dynaprompt/core';

import type { Adapter } from './adapter.js';
import { type Description, readDescription } from './description.js';
import { unusableFile } from './fields.js';
import { longestTensors, readBounded, readJson } from './read-file.js';
import { type AdapterHost, type BackboneCheck, requireBackbone } from './require-backbone.js';
import { restorePrompt } from './restore.js';
import { descriptionFile, digestOf, pendingFile, tensorsFile } from './save-adapter.js';
import { contentOf } from './tensors.js';

/** How an adapter is loaded. */
export interface LoadOptions extends BackboneCheck {
  /** What the adapter is to be used with, checked by {@link requireBackbone}. */
  readonly backbone?: AdapterHost | undefined;
}

/**
 * Reads an adapter that {@link saveAdapter} wrote. The tensors are checked against their SHA-256, the configuration and, where
 * one is given, the backbone.
 *
 * @throws DataError naming the file, when it is missing, damaged, or not what the other one describes.
 * @throws ModelError, ConfigurationError when it belongs to another backbone.
 */
export async function loadAdapter(folder: string, options: LoadOptions = {}): Promise<Adapter> {
  const path = join(folder, descriptionFile);
  const { optimiserStep, tensors, ...description } = readDescription(await readJson(path), path);
  const file = join(folder, tensorsFile);
  const bytes = await readTensors(folder, tensors);
  const content = contentOf(
    decodeSafetensors(bytes, file),
    { ...description, optimiserStep, tensors } satisfies Description,
    file,
  );
  const adapter: Adapter = { ...description, ...content };
  if (adapter.configuration !== undefined) await restorePrompt(adapter);
  else if (content.parameters.prompt.size > 0) {
    throw unusableFile(file, `it has a prompt, ${descriptionFile} has no configuration of one`);
  }
  if (options.backbone !== undefined) requireBackbone(adapter, options.backbone, options);
  return adapter;
}

/** The tensors with that digest, under their final name or the one that a process gave them before it died. */
async function readTensors(folder: string, digest: string): Promise<Buffer> {
  const file = join(folder, tensorsFile);
  const pending = await readBounded(join(folder, pendingFile(digest)), longestTensors).catch(() => undefined);
  if (pending !== undefined && digestOf(pending) === digest) return pending;
  const bytes = await readBounded(file, longestTensors);
  if (digestOf(bytes) === digest) return bytes;
  // Says more where the file is truncated or malformed.
  decodeSafetensors(bytes, file);
  throw unusableFile(
    file,
    `it is not the file that ${descriptionFile} describes (its SHA-256 differs)`,
    'Copy both files again, or save the adapter again',
  );
}
