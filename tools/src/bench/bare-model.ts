import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, parse, resolve } from 'node:path';
import { findTokenEmbedding, prepareGraph } from '@dynaprompt/onnx-autodiff';
import { miniBert } from '@dynaprompt/mini-models';

/** A backbone folder, and how to remove it. */
export interface TemporaryBackbone {
  readonly folder: string;
  remove(): void;
}

/**
 * Makes a backbone folder around a bare ONNX file of a BERT encoder. The tokeniser is the bundled one: the model has to know
 * as many words, which words they are makes no difference to the time.
 * @param maximumTokens positions that are going to be used, prompt included.
 * @throws MalformedModelError or StructureNotFoundError of onnx-autodiff.
 */
export function backboneAround(model: string, maximumTokens: number): TemporaryBackbone {
  const { width } = findTokenEmbedding(prepareGraph(model));
  const parent = mkdtempSync(join(tmpdir(), 'dynaprompt-bench-'));
  const folder = join(parent, parse(model).name);
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  symlinkSync(resolve(model), join(folder, 'onnx', 'model.onnx'));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(miniBert, file), join(folder, file));
  const config = { model_type: 'bert', hidden_size: width, max_position_embeddings: maximumTokens };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return {
    folder,
    remove() {
      rmSync(parent, { recursive: true, force: true });
    },
  };
}
