import { constants } from 'node:fs';
import { copyFile, link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from '@dynaprompt/core';
import { tensorBytes, type Graph, type Tensor } from '@dynaprompt/onnx-autodiff';
import { PACKAGE_NAME } from './package-name.js';

/**
 * Where the frozen weights of an exported model lie: in a copy of the original file, in a hard link to it (no space, the same
 * file system), or in the new model file itself.
 */
export type WeightPlacement = 'copy' | 'link' | 'embed';

const MODEL_NAME = 'model.onnx';
/** A protobuf message cannot be larger; the graph itself needs a little. */
const LARGEST_MODEL = 2 ** 31 - 2 ** 24;

/**
 * Writes `model.onnx` and the files with its weights, `model.onnx_data`, `model.onnx_data_1`, … as transformers.js counts them.
 * Bytes of the original files stay where they are in them: the graph names their offsets.
 * @returns names of the files beside `model.onnx`; none when embedded.
 * @throws ModelError if the weights are too large to be embedded, or cannot be linked or copied.
 */
export async function writeModelFiles(
  graph: Graph,
  folder: string,
  placement: WeightPlacement,
): Promise<readonly string[]> {
  const exported = graph.clone();
  exported.prune();
  const names = new Map<string, string>();
  for (const [name, tensor] of exported.initializers) {
    const { data } = tensor;
    if (data.kind !== 'file') continue;
    if (!names.has(data.file)) {
      names.set(data.file, `${MODEL_NAME}_data${names.size === 0 ? '' : `_${names.size}`}`);
    }
    const file = names.get(data.file) ?? '';
    if (placement !== 'embed') exported.initializers.set(name, { ...tensor, data: { ...data, file } });
  }
  if (placement === 'embed') embed(exported);
  else for (const [source, name] of names) await place(source, join(folder, name), placement);
  await writeFile(join(folder, MODEL_NAME), exported.serialize());
  return placement === 'embed' ? [] : [...names.values()];
}

function embed(graph: Graph): void {
  const stored = [...graph.initializers.values()].filter(({ data }) => data.kind === 'file');
  const size = stored.reduce((sum, { data }) => sum + (data.kind === 'file' ? data.length : 0), 0);
  if (size > LARGEST_MODEL) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: graph.source,
      problem: `its weights, ${size} bytes, do not fit into one ONNX file`,
      remedy: "Choose weights: 'copy' or 'link'",
    });
  }
  const inMemory = (tensor: Tensor): Tensor => ({
    ...tensor,
    data: { kind: 'bytes', bytes: tensorBytes(tensor) },
  });
  for (const tensor of stored) graph.initializers.set(tensor.name, inMemory(tensor));
}

async function place(source: string, target: string, placement: 'copy' | 'link'): Promise<void> {
  try {
    if (placement === 'link') await link(source, target);
    else await copyFile(source, target, constants.COPYFILE_FICLONE);
  } catch (cause) {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: source,
      problem: `it cannot be ${placement === 'link' ? 'linked' : 'copied'} to ${target}`,
      remedy:
        placement === 'link'
          ? "Choose weights: 'copy', or a target on the same file system"
          : 'Make room and check permissions',
      cause,
    });
  }
}
