import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import { checkDtype, DTYPES, dtypesAmong, fileOfDtype, type Dtype } from './dtype.js';
import { hubPlace } from './hub-access.js';
import { isAbsent, openHubSnapshot, type HubOptions, type HubSnapshot } from './hub.js';

/** How a backbone folder is opened. */
export interface FolderOptions extends HubOptions {
  /** Element type of the weights: which of the files `model.onnx`, `model_fp16.onnx`, … is read. Default `fp32`. */
  readonly dtype?: Dtype;
}

/** Files of a backbone in the layout that transformers.js reads. */
export interface BackboneFolder {
  /** Folder name or hub id, for people. */
  readonly name: string;
  /** Local folder that holds config.json and its companions. */
  readonly folder: string;
  /** Path of config.json. */
  readonly config: string;
  /** Commit of the hub that the files are of; undefined for a local folder. */
  readonly commit?: string;
  /**
   * Path of the first of these ONNX files that there is, `onnx/model.onnx` by default; downloads it if it is not there yet. They
   * are named as in float32, and read in the element type that the folder was opened for.
   * @throws ModelError naming the last of them if there is none, and the element types that there are.
   */
  model(...files: readonly string[]): Promise<string>;
  /** Path of a file that only some have; undefined where it is absent. */
  optional(file: string): Promise<string | undefined>;
}

const CONFIG_FILE = 'config.json';
const MODEL_FILE = 'onnx/model.onnx';

/** Files that a backbone needs beside config.json and the model, e.g. those of its tokeniser. */
export type CompanionFiles = readonly string[];

/**
 * Finds a backbone: a local folder, or a hub id (`owner/name`, `owner/name@revision`) whose files are downloaded once into the
 * standard Hugging Face cache; the model last, so that an unsuitable one is never fetched.
 * @param companions files that the folder has to have too.
 * @throws ModelError naming the folder or file that is missing, or what the hub answered.
 * @throws ConfigurationError if `dtype` is not known.
 */
export async function openBackboneFolder(
  location: string,
  companions: CompanionFiles,
  { dtype = 'fp32', ...hub }: FolderOptions = {},
): Promise<BackboneFolder> {
  checkDtype(dtype);
  if (existsSync(location)) return localFolder(resolve(location), companions, dtype);
  const place = hubPlace(location);
  if (!place) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: `"${location}"`,
      problem: 'there is no such folder, and it is no hub id',
      remedy: `Give a folder with ${filesOf(companions)} and ${MODEL_FILE}, or an id like owner/name or owner/name@revision`,
    });
  }
  const snapshot = await openHubSnapshot(place.id, { ...place, ...hub });
  const config = await snapshot.file(CONFIG_FILE);
  for (const file of companions) await snapshot.file(file);
  return {
    name: place.id,
    folder: snapshot.folder,
    commit: snapshot.commit,
    config,
    model: (...files) => hubModel(snapshot, config, modelsOf(files), dtype),
    optional: (file) =>
      snapshot.file(file).catch((failure: unknown) => {
        if (isAbsent(failure)) return undefined;
        throw failure;
      }),
  };
}

/** Models by their names in float32. */
function modelsOf(files: readonly string[]): readonly string[] {
  return files.length === 0 ? [MODEL_FILE] : files;
}

async function hubModel(
  snapshot: HubSnapshot,
  config: string,
  models: readonly string[],
  dtype: Dtype,
): Promise<string> {
  const files = models.map((model) => fileOfDtype(model, dtype));
  const cached = files.filter((file) => existsSync(join(snapshot.folder, file)));
  try {
    return await download(snapshot, config, cached.length > 0 ? cached : files);
  } catch (failure) {
    const others = isAbsent(failure) ? dtypesAmong(await snapshot.list(dirname(MODEL_FILE)), models) : [];
    if (others.length === 0) throw failure;
    throw otherDtypes(files.at(-1) ?? MODEL_FILE, others, failure);
  }
}

/** Says which element types there are where another one was asked for. */
function otherDtypes(subject: string, dtypes: readonly Dtype[], cause?: unknown): ModelError {
  return new ModelError({
    packageName: PACKAGE_NAME,
    subject,
    problem: 'the file is missing',
    remedy: `Open it with one of the dtypes that it has: ${dtypes.join(', ')}`,
    cause,
  });
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
  const byFile = Object(format) as Record<string, unknown>;
  const stated: unknown = typeof format === 'object' ? (byFile[file] ?? byFile[modelName(file)]) : format;
  const count = Number(stated ?? 0);
  return Array.from({ length: count > 0 ? count : 0 }, (_, index) =>
    index === 0 ? `${file}_data` : `${file}_data_${index}`,
  );
}

/** `model_fp16.onnx` → `model`: transformers.js names a model without its element type too. */
function modelName(file: string): string {
  const suffix = DTYPES.map((dtype) => fileOfDtype('.onnx', dtype))
    .filter((ending) => file.endsWith(ending))
    .reduce((longest, ending) => (ending.length > longest.length ? ending : longest), '');
  return file.slice(0, file.length - suffix.length);
}

function localFolder(folder: string, companions: CompanionFiles, dtype: Dtype): BackboneFolder {
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
      const models = modelsOf(files);
      const names = models.map((model) => fileOfDtype(model, dtype));
      const found = names.find((file) => existsSync(join(folder, file)));
      if (found !== undefined) return Promise.resolve(join(folder, found));
      const last = names.at(-1) ?? MODEL_FILE;
      const others = dtypesAmong(filesBeside(folder, models), models);
      return Promise.reject(
        others.length === 0 ? missing(folder, last, companions) : otherDtypes(join(folder, last), others),
      );
    },
    optional(file) {
      const path = join(folder, file);
      return Promise.resolve(existsSync(path) ? path : undefined);
    },
  };
}

/** Files in the folders of some models, relative to `folder`. */
function filesBeside(folder: string, models: readonly string[]): readonly string[] {
  return [...new Set(models.map((model) => dirname(model)))].flatMap((inner) =>
    existsSync(join(folder, inner)) ? readdirSync(join(folder, inner)).map((file) => join(inner, file)) : [],
  );
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
