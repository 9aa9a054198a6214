import { dirname, basename, join } from 'node:path';
import { AutoModelForMaskedLM, AutoTokenizer, env, type Tensor } from '@huggingface/transformers';
import { nullThrows } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import {
  Emitter,
  findLastHiddenState,
  findTokenEmbedding,
  floatsOf,
  int64,
  openSession,
  prepareGraph,
} from '@dynaprompt/onnx-autodiff';
import { at } from './numbers.js';

/** Mini-bert in transformers.js, untouched. */
export interface ReferenceModel {
  /** Masked-language logits at the mask of every text, [texts][words]; the texts are padded to one batch. */
  maskLogits(texts: readonly string[], words: readonly string[]): Promise<number[][]>;
  release(): Promise<void>;
}

export async function openReferenceModel(): Promise<ReferenceModel> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(miniBert);
  const options = { dtype: 'fp32', local_files_only: true } as const;
  const tokenizer = await AutoTokenizer.from_pretrained(basename(miniBert), options);
  const model = await AutoModelForMaskedLM.from_pretrained(basename(miniBert), options);
  const idOf = (word: string): number =>
    nullThrows(tokenizer.encode(word, { add_special_tokens: false })[0], word);
  return {
    async maskLogits(texts, words) {
      const inputs = tokenizer([...texts], { padding: true }) as { input_ids: Tensor };
      const { logits } = (await model(inputs)) as { logits: Tensor };
      const [, length = 0, vocabulary = 0] = logits.dims;
      const ids = Array.from(inputs.input_ids.data as BigInt64Array, Number);
      const scores = logits.data as Float32Array;
      return texts.map((_, row) => {
        const mask = ids.indexOf(idOf('[MASK]'), row * length);
        return words.map((word) => at(scores, mask * vocabulary + idOf(word)));
      });
    },
    async release() {
      await model.dispose();
    },
  };
}

/** Last hidden state [1, T, d] of one sequence of token ids in the unprompted model. */
export async function hiddenStateOf(ids: readonly number[], types: readonly number[]): Promise<Float32Array> {
  const graph = prepareGraph(join(miniBert, 'onnx/model.onnx'));
  const hidden = findLastHiddenState(graph, findTokenEmbedding(graph).tensor);
  graph.outputs.clear();
  new Emitter(graph).output('hidden', hidden);
  graph.prune();
  const session = await openSession(graph, { threads: 1 });
  const dims = [1, ids.length];
  const results = await session.run({
    input_ids: int64(ids, dims),
    token_type_ids: int64(types, dims),
    attention_mask: int64(new Int32Array(ids.length).fill(1), dims),
  });
  await session.release();
  return floatsOf(results.hidden);
}
