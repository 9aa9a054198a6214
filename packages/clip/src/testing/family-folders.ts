import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Emitter,
  findLastHiddenState,
  findTokenEmbedding,
  prepareGraph,
  tensorBytes,
} from '@dynaprompt/onnx-autodiff';
import { keepOutput } from '../towers/single-tower.js';
import { normals } from './plans.js';
import { smallTokenizer } from './small-tokenizers.js';

/** Side of the pictures of the families' small models, pixels. */
export const SIDE = 24;
/** D of them. */
export const EMBEDDING_WIDTH = 24;

/** Families of which there is a small model with random weights. */
export type SmallFamily = 'clip' | 'siglip' | 'chinese_clip';

/** A new empty folder, and how to remove it. */
export function temporaryFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'dynaprompt-clip-'));
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Path of a fixture's ONNX file. */
export function fixtureFile(name: string): string {
  return fileURLToPath(new URL(`../../../onnx-autodiff/fixtures/${name}/model.onnx`, import.meta.url));
}

/** Writes a small model of a family as a backbone folder: one file, or (Chinese-CLIP) a file for each tower. */
export function writeFamily(folder: string, family: SmallFamily): string {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const write = (file: string, value: object): void => {
    writeFileSync(join(folder, file), JSON.stringify(value));
  };
  write('config.json', { model_type: family, text_config: { max_position_embeddings: 24 } });
  write('preprocessor_config.json', {
    image_processor_type: 'ViTImageProcessor',
    size: { height: SIDE, width: SIDE },
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  });
  const { tokenizer, special } = smallTokenizer(family);
  write('tokenizer.json', tokenizer);
  write('tokenizer_config.json', { tokenizer_class: 'PreTrainedTokenizer', ...special });
  if (family !== 'chinese_clip') {
    copyFileSync(fixtureFile(family), join(folder, 'onnx/model.onnx'));
    return folder;
  }
  writeBertTower(join(folder, 'onnx/text_model.onnx'));
  copyFileSync(fixtureFile('clip-vision'), join(folder, 'onnx/vision_model.onnx'));
  return folder;
}

/** The text tower of Chinese-CLIP: a projection of BERT's first token. */
function writeBertTower(target: string): void {
  const graph = prepareGraph(fixtureFile('bert-14'));
  const { tensor, width } = findTokenEmbedding(graph);
  const hidden = findLastHiddenState(graph, tensor);
  const emit = new Emitter(graph);
  const first = emit.op('Gather', [hidden, emit.int(0)], { axis: 1 });
  const projection = emit.floats(normals('projection', width * EMBEDDING_WIDTH, 0.2), [
    width,
    EMBEDDING_WIDTH,
  ]);
  emit.output('text_embeds', emit.op('MatMul', [first, projection]));
  keepOutput(graph, 'text_embeds');
  for (const [name, weights] of graph.initializers)
    graph.initializers.set(name, {
      ...weights,
      data: { kind: 'bytes', bytes: tensorBytes(weights).slice() },
    });
  writeFileSync(target, graph.serialize());
}
