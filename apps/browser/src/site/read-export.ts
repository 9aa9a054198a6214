import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { ModelError } from '@dynaprompt/core';

import { packageName } from '../package-name.js';

/** Version of dynamic_prompt.json that the page reads. */
const FORMAT = 1;
const REQUIRED = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model.onnx'];

/**
 * Paths of the files of an exported folder, relative to it.
 * @throws ModelError when it is none, or lacks a file that it names.
 */
export async function readExport(folder: string): Promise<readonly string[]> {
  const description = await readDescription(folder);
  const { format, onnx } = description;
  if (format !== FORMAT) {
    throw unusable(
      join(folder, 'dynamic_prompt.json'),
      `its format is ${JSON.stringify(format)}, not ${FORMAT}`,
      'Name a folder that export wrote; a saved adapter has to be exported first',
    );
  }
  const data = dataFiles(onnx).map((name) => `onnx/${name}`);
  for (const file of [...REQUIRED, ...data]) {
    const found = await stat(join(folder, file)).catch(() => undefined);
    if (found?.isFile() !== true)
      throw unusable(join(folder, file), 'there is no such file', 'Export the model again');
  }
  const entries = await readdir(folder, { withFileTypes: true });
  const top = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return [...top.sort(), 'onnx/model.onnx', ...data];
}

async function readDescription(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(folder, 'dynamic_prompt.json');
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = isMissing ? 'there is no such file' : 'it cannot be read as JSON';
    throw unusable(file, problem, 'Name a folder that export wrote', cause);
  }
  if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  throw unusable(file, 'it is no JSON object', 'Name a folder that export wrote');
}

/** Names of the files beside model.onnx; anything but plain names is ignored, and missed when the model is opened. */
function dataFiles(onnx: unknown): readonly string[] {
  const { data } = Object(onnx) as { readonly data?: unknown };
  const names: readonly unknown[] = Array.isArray(data) ? data : [];
  return names.filter((name) => typeof name === 'string').filter((name) => /^[\w.-]+$/.test(name));
}

function unusable(subject: string, problem: string, remedy: string, cause?: unknown): ModelError {
  return new ModelError({
    packageName,
    subject,
    problem,
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}
