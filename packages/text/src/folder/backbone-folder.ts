import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { openHubSnapshot, type HubOptions } from './hub.js';

/** Files of a text backbone in the layout that transformers.js reads. */
export interface BackboneFolder {
  /** Folder name or hub id, for people. */
  readonly name: string;
  /** Local folder that holds config.json and the tokeniser's files. */
  readonly folder: string;
  /** Path of config.json. */
  readonly config: string;
  /** Path of the ONNX file; downloads it if it is not there yet. */
  model(): Promise<string>;
}

const CONFIG_FILE = 'config.json';
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;
const MODEL_FILE = 'onnx/model.onnx';
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

/**
 * Finds a backbone: a local folder, or a hub id (`owner/name`) whose files are downloaded once into the standard Hugging Face
 * cache; the model last, so that an unsuitable one is never fetched.
 * @throws ModelError naming the folder or file that is missing, or what the hub answered.
 */
export async function openBackboneFolder(location: string, hub: HubOptions = {}): Promise<BackboneFolder> {
  if (existsSync(location)) return localFolder(resolve(location));
  const isPath = location.startsWith('.') || location.startsWith('/') || location.startsWith('~');
  if (isPath || !HUB_ID.test(location)) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: `"${location}"`,
      problem: 'there is no such folder, and it is no hub id',
      remedy: `Give a folder with ${CONFIG_FILE}, tokenizer.json and ${MODEL_FILE}, or an id like owner/name`,
    });
  }
  const snapshot = await openHubSnapshot(location, hub);
  const config = await snapshot.file(CONFIG_FILE);
  for (const file of TOKENIZER_FILES) await snapshot.file(file);
  return { name: location, folder: snapshot.folder, config, model: () => snapshot.file(MODEL_FILE) };
}

function localFolder(folder: string): BackboneFolder {
  if (!statSync(folder).isDirectory()) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: folder,
      problem: 'this is a file, not a folder',
      remedy: `Give the folder that holds ${CONFIG_FILE}, tokenizer.json and ${MODEL_FILE}`,
    });
  }
  for (const file of [CONFIG_FILE, ...TOKENIZER_FILES, MODEL_FILE]) {
    if (existsSync(join(folder, file))) continue;
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: join(folder, file),
      problem: 'the file is missing',
      remedy: `A backbone folder holds ${CONFIG_FILE}, ${TOKENIZER_FILES.join(', ')} and ${MODEL_FILE}`,
    });
  }
  return {
    name: basename(folder),
    folder,
    config: join(folder, CONFIG_FILE),
    model: () => Promise.resolve(join(folder, MODEL_FILE)),
  };
}
