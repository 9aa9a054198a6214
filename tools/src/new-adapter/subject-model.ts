import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { inspectModel, type ModelInspection } from '@dynaprompt/backbone';
import { ModelError } from '@dynaprompt/core';
import { findWeights, prepareGraph, UnsupportedOperatorError } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from './package-name.js';

/** A file of the model, and where it stands in a backbone folder. */
export interface ModelFile {
  readonly from: string;
  /** Relative to the folder, e.g. `onnx/model.onnx`. */
  readonly to: string;
}

/** The model that an adapter is made for. */
export interface SubjectModel {
  readonly folder: string;
  readonly inspection: ModelInspection;
  readonly entry: NonNullable<ModelInspection['entry']>;
  /** Content of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The ONNX file first. */
  readonly files: readonly [ModelFile, ...ModelFile[]];
  /** Whether its own weights can be trained too. */
  readonly canFineTune: boolean;
}

/**
 * Reads a model that prompts can be tuned on.
 * @throws ModelError if it is none, saying why.
 */
export function readSubject(location: string, name: string): SubjectModel {
  const folder = resolve(location);
  const fail = (subject: string, problem: string, remedy: string): never => {
    throw new ModelError({ packageName: PACKAGE_NAME, subject, problem, remedy });
  };
  if (existsSync(folder) && !statSync(folder).isDirectory())
    fail(folder, 'this is a file, not a folder', 'Give the folder that holds onnx/model.onnx');
  const inspection = inspectModel(folder);
  const { entry, file, family, isTunable, reasons } = inspection;
  if (!isTunable || !entry)
    return fail(
      file,
      `it cannot be tuned: ${reasons.join('; ')}`,
      'Give another model or another export of it',
    );
  const configFile = join(folder, 'config.json');
  const config = existsSync(configFile)
    ? (JSON.parse(readFileSync(configFile, 'utf8')) as Readonly<Record<string, unknown>>)
    : {};
  const inner = dirname(relative(folder, file));
  const place = inner === '.' ? 'onnx' : inner;
  const data = inspection.externalData.map((from) => ({
    from,
    to: join(place, relative(dirname(file), from)),
  }));
  return {
    folder,
    inspection,
    entry,
    config: { ...config, model_type: config.model_type ?? family ?? name },
    files: [{ from: file, to: join(place, basename(file)) }, ...data],
    canFineTune: canFineTune(inspection),
  };
}

/** Whether weights are float32, and gradients reach all of them. */
function canFineTune({ file, hidden = '', dtypes, quantisation }: ModelInspection): boolean {
  const isReduced = ['float16', 'bfloat16', 'int8', 'uint8', 'int4', 'uint4'].some((type) => type in dtypes);
  if (isReduced || quantisation.length > 0) return false;
  try {
    return findWeights(prepareGraph(file), hidden).length > 0;
  } catch (failure) {
    if (failure instanceof UnsupportedOperatorError) return false;
    throw failure;
  }
}
