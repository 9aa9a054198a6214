import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ModelError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';

/** The files that an inspection reads. */
export interface InspectedFiles {
  readonly model: string;
  /** `model_type` of the config.json beside it; undefined where there is none. */
  readonly family: string | undefined;
}

/** ONNX files of a backbone folder, the one that takes prompts first. */
const MODELS = [
  ...['model', 'encoder_model', 'vision_model', 'text_model', 'decoder_model_merged', 'decoder_model'].map(
    (name) => `onnx/${name}.onnx`,
  ),
  'model.onnx',
];

/**
 * The model of a file or backbone folder, and what config.json says of it.
 * @throws ModelError if there is no such file or folder, or no model in it.
 */
export function findModelFiles(location: string): InspectedFiles {
  if (!existsSync(location)) {
    throw failure(
      location,
      'there is no such file or folder',
      'Give an .onnx file, or a folder with onnx/model.onnx',
    );
  }
  if (!statSync(location).isDirectory()) {
    const folders = [dirname(location), dirname(dirname(location))];
    return { model: location, family: familyOf(folders.map((folder) => join(folder, 'config.json'))) };
  }
  const inFolder = (folder: string): string[] =>
    existsSync(join(location, folder)) && statSync(join(location, folder)).isDirectory()
      ? readdirSync(join(location, folder))
          .filter((name) => name.endsWith('.onnx'))
          .sort()
          .map((name) => join(folder, name))
      : [];
  const found =
    MODELS.find((name) => existsSync(join(location, name))) ?? [...inFolder('onnx'), ...inFolder('.')][0];
  if (found === undefined)
    throw failure(location, 'the folder holds no .onnx file', 'Give a folder with onnx/model.onnx');
  return { model: join(location, found), family: familyOf([join(location, 'config.json')]) };
}

/** @throws ModelError if a config.json is no JSON. */
function familyOf(configs: readonly string[]): string | undefined {
  const file = configs.find((config) => existsSync(config));
  if (file === undefined) return undefined;
  try {
    const { model_type: family } = Object(JSON.parse(readFileSync(file, 'utf8'))) as { model_type?: unknown };
    return typeof family === 'string' ? family : undefined;
  } catch (cause) {
    throw failure(file, 'it cannot be read as JSON', 'Download the file again', cause);
  }
}

function failure(subject: string, problem: string, remedy: string, cause?: unknown): ModelError {
  return new ModelError({ packageName: PACKAGE_NAME, subject, problem, remedy, cause });
}
