import { dirname, resolve } from 'node:path';
import { MalformedModelError } from '../errors.js';
import type { ModelProto } from '../graph/types.js';
import { bytesInFile, bytesInMemory, isLfsPointer, type ByteSource } from './byte-source.js';
import { realPath } from './external-data.js';
import { ModelReader } from './model-reader.js';

/**
 * Reads a model without reading its weights: large tensors are kept as places in the file.
 * Field numbers: onnx/onnx.proto3.
 * @throws MalformedModelError naming the file and what is wrong with it.
 */
export function readModel(model: string | Uint8Array): ModelProto {
  const source =
    typeof model === 'string' ? bytesInFile(realPath(model)) : bytesInMemory(model, 'model in memory');
  try {
    refuseForeignFiles(source);
    const folder = typeof model === 'string' ? dirname(resolve(model)) : undefined;
    const parsed = new ModelReader(source, folder).model();
    if (parsed.graph.nodes.length === 0 || parsed.opsets.size === 0) {
      throw new MalformedModelError({
        subject: source.name,
        problem: 'no graph or no operator-set version in it',
        remedy: 'The file is truncated or is no ONNX model; download or export it again',
      });
    }
    return parsed;
  } finally {
    source.close();
  }
}

function refuseForeignFiles(source: ByteSource): void {
  if (isLfsPointer(source)) {
    throw new MalformedModelError({
      subject: source.name,
      problem: 'this is a git-lfs pointer, not the model',
      remedy: 'Fetch the real file, for example with `git lfs pull`',
    });
  }
  if (source.size === 0) {
    throw new MalformedModelError({
      subject: source.name,
      problem: 'the file is empty',
      remedy: 'Download or export the model again',
    });
  }
}
