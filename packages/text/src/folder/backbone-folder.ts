import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { downloadFileToCacheDir } from '@huggingface/hub';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/** Files of a text backbone in the layout that transformers.js reads. */
export interface BackboneFolder {
  /** Folder name or hub id, for people. */
  readonly name: string;
  /** Local folder that holds the files. */
  readonly folder: string;
  readonly config: string;
  /** The ONNX file. */
  readonly model: string;
}

const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;
const MODEL_FILE = 'onnx/model.onnx';
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

/** Where on the hub to look. Environment: HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT. */
export interface HubOptions {
  /** Branch, tag or commit; default `main`. */
  readonly revision?: string;
}

/**
 * Finds a backbone: a local folder, or a hub id (`owner/name`) whose files are downloaded once into the standard Hugging Face
 * cache.
 * @throws ModelError naming the folder or file that is missing, or what the hub answered.
 */
export async function openBackboneFolder(location: string, hub: HubOptions = {}): Promise<BackboneFolder> {
  if (existsSync(location)) return localFolder(resolve(location));
  const isPath = location.startsWith('.') || location.startsWith('/') || location.startsWith('~');
  if (isPath || !HUB_ID.test(location)) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: location,
      problem: 'there is no such folder, and it is no hub id',
      remedy: 'Give a folder with config.json, tokenizer.json and onnx/model.onnx, or an id like owner/name',
    });
  }
  return download(location, hub.revision);
}

function localFolder(folder: string): BackboneFolder {
  if (!statSync(folder).isDirectory()) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: folder,
      problem: 'this is a file, not a folder',
      remedy: `Give the folder that holds config.json, tokenizer.json and ${MODEL_FILE}`,
    });
  }
  for (const file of ['config.json', ...TOKENIZER_FILES, MODEL_FILE]) {
    if (existsSync(join(folder, file))) continue;
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: join(folder, file),
      problem: 'the file is missing',
      remedy: `A backbone folder holds config.json, ${TOKENIZER_FILES.join(', ')} and ${MODEL_FILE}`,
    });
  }
  return {
    name: basename(folder),
    folder,
    config: join(folder, 'config.json'),
    model: join(folder, MODEL_FILE),
  };
}

async function download(id: string, revision: string | undefined): Promise<BackboneFolder> {
  const fetchFile = async (path: string): Promise<string> => {
    try {
      return await downloadFileToCacheDir({
        repo: { type: 'model', name: id },
        path,
        ...(revision === undefined ? {} : { revision }),
        ...(process.env.HF_ENDPOINT === undefined ? {} : { hubUrl: process.env.HF_ENDPOINT }),
        ...(process.env.HF_TOKEN === undefined ? {} : { accessToken: process.env.HF_TOKEN }),
      });
    } catch (cause) {
      throw new ModelError({
        packageName: PACKAGE_NAME,
        subject: `${id}/${path}`,
        problem: `the hub did not give the file (${cause instanceof Error ? cause.message : String(cause)})`,
        remedy: 'Check the id, the network and HF_TOKEN, or give a local folder',
        cause,
      });
    }
  };
  const config = await fetchFile('config.json');
  for (const file of TOKENIZER_FILES) await fetchFile(file);
  return { name: id, folder: dirname(config), config, model: await fetchFile(MODEL_FILE) };
}
