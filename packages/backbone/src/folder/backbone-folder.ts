import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { isAbsent, openHubSnapshot, type HubOptions, type HubSnapshot } from './hub.js';

/** Files of a backbone in the layout that transformers.js reads. */
export interface BackboneFolder {
  /** Folder name or hub id, for people. */
  readonly name: string;
  /** Local folder that holds config.json and its companions. */
  readonly folder: string;
  /** Path of config.json. */
  readonly config: string;
  /**
   * Path of the first of these ONNX files that there is, `onnx/model.onnx` by default; downloads it if it is not there yet.
   * @throws ModelError naming the last of them if there is none.
   */
  model(...files: readonly string[]): Promise<string>;
}

const CONFIG_FILE = 'config.json';
const MODEL_FILE = 'onnx/model.onnx';

/** Files that a backbone needs beside config.json and the model, e.g. those of its tokeniser. */
export type CompanionFiles = readonly string[];

const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

/**
 * Finds a backbone: a local folder, or a hub id (`owner/name`) whose files are downloaded once into the standard Hugging Face
 * cache; the model last, so that an unsuitable one is never fetched.
 * @param companions files that the folder has to have too.
 * @throws ModelError naming the folder or file that is missing, or what the hub answered.
 */
export async function openBackboneFolder(
  location: string,
  companions: CompanionFiles,
  hub: HubOptions = {},
): Promise<BackboneFolder> {
  if (existsSync(location)) return localFolder(resolve(location), companions);
  const isPath = location.startsWith('.') || location.startsWith('/') || location.startsWith('~');
  if (isPath || !HUB_ID.test(location)) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: `"${location}"`,
      problem: 'there is no such folder, and it is no hub id',
      remedy: `Give a folder with ${filesOf(companions)} and ${MODEL_FILE}, or an id like owner/name`,
    });
  }
  const snapshot = await openHubSnapshot(location, hub);
  const config = await snapshot.file(CONFIG_FILE);
  for (const file of companions) await snapshot.file(file);
  return {
    name: location,
    folder: snapshot.folder,
    config,
    model: (...files) => download(snapshot, config, files),
  };
}

/** Downloads the first file that the repository has, and the external data that config.json says it has. */
async function download(
  snapshot: HubSnapshot,
  config: string,
  [file = MODEL_FILE, ...others]: readonly string[],
): Promise<string> {
  let path: string;
  try {
    path = await snapshot.file(file);
  } catch (failure) {
    if (others.length === 0 || !isAbsent(failure)) throw failure;
    return download(snapshot, config, others);
  }
  for (const data of externalData(config, basename(file))) await snapshot.file(join(dirname(file), data));
  return path;
}

/** Files with weights beside an ONNX file, by transformers.js' field of config.json: a number of files, true is one. */
function externalData(config: string, file: string): readonly string[] {
  const { 'transformers.js_config': settings } = JSON.parse(readFileSync(config, 'utf8')) as {
    'transformers.js_config'?: { use_external_data_format?: unknown };
  };
  const format = settings?.use_external_data_format;
  const stated: unknown = typeof format === 'object' ? (format as Record<string, unknown>)[file] : format;
  const count = Number(stated ?? 0);
  return Array.from({ length: count > 0 ? count : 0 }, (_, index) =>
    index === 0 ? `${file}_data` : `${file}_data_${index}`,
  );
}

function localFolder(folder: string, companions: CompanionFiles): BackboneFolder {
  if (!statSync(folder).isDirectory()) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: folder,
      problem: 'this is a file, not a folder',
      remedy: `Give the folder that holds ${filesOf(companions)} and ${MODEL_FILE}`,
    });
  }
  for (const file of [CONFIG_FILE, ...companions])
    if (!existsSync(join(folder, file))) throw missing(folder, file, companions);
  return {
    name: basename(folder),
    folder,
    config: join(folder, CONFIG_FILE),
    model(...files) {
      const found = (files.length === 0 ? [MODEL_FILE] : files).find((file) =>
        existsSync(join(folder, file)),
      );
      return found === undefined
        ? Promise.reject(missing(folder, files.at(-1) ?? MODEL_FILE, companions))
        : Promise.resolve(join(folder, found));
    },
  };
}

function missing(folder: string, file: string, companions: CompanionFiles): ModelError {
  return new ModelError({
    packageName: PACKAGE_NAME,
    subject: join(folder, file),
    problem: 'the file is missing',
    remedy: `A backbone folder holds ${filesOf(companions)} and the model in onnx/`,
  });
}

function filesOf(companions: CompanionFiles): string {
  return [CONFIG_FILE, ...companions].join(', ');
}
