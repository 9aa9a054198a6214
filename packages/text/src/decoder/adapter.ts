import { ConfigurationError } from '@dynaprompt/core';
import type { Graph } from '@dynaprompt/onnx-autodiff';
import type { TextAdapter } from '../backbone/adapter.js';
import { joinGraphs } from '@dynaprompt/backbone';
import { INPUT } from '../backbone/names.js';
import { describeTextModel, prepareTextGraph } from '../backbone/text-model.js';
import { PACKAGE_NAME } from '../package-name.js';
import { takePositions } from './positions.js';

/** What a decoder reads in place of token ids where its embeddings are in a file of their own. */
const EMBEDDINGS = 'inputs_embeds';
const MODEL_FILES = ['onnx/model.onnx', 'onnx/decoder_model_merged.onnx', 'onnx/decoder_model.onnx'];
const EMBEDDING_FILE = 'onnx/embed_tokens.onnx';

/** GPT-2, Llama and their kin: prompts behind BOS, the answer behind the text, read at the last token. */
export const decoderAdapter: TextAdapter = {
  kind: 'decoder',
  async read(files, { width }, _, { isolated = false } = {}) {
    const file = await files.model(...MODEL_FILES);
    const decoder = prepareTextGraph(file);
    const isSplit = decoder.inputs.has(EMBEDDINGS) && !decoder.inputs.has(INPUT.ids);
    const embedding = isSplit ? await files.model(EMBEDDING_FILE) : undefined;
    const graph = embedding === undefined ? decoder : behindEmbeddings(prepareTextGraph(embedding), decoder);
    await takePositions(graph, { isolated });
    return describeTextModel({
      kind: 'decoder',
      graph,
      files: embedding === undefined ? [file] : [embedding, file],
      hiddenWidth: width,
    });
  },
  frame(tokenizer) {
    const open = { ...tokenizer.single, after: [] };
    return { ...tokenizer, single: open, pair: { ...tokenizer.pair, after: [] } };
  },
  sides({ graph }, padding) {
    const isTold = graph.inputs.has(INPUT.positions);
    // OPT counts the mask.
    const counts = [...graph.nodes].some(({ opType }) => opType === 'CumSum');
    if (padding === 'left' && !isTold && !counts) {
      throw new ConfigurationError({
        packageName: PACKAGE_NAME,
        subject: 'padding left',
        problem: `${graph.source} cannot be told positions: padding in front would move every token`,
        remedy: 'Use padding right',
      });
    }
    return { padding, inactive: isTold ? 'front' : 'back' };
  },
};

/** The two files as one graph from token ids on. */
function behindEmbeddings(embedding: Graph, decoder: Graph): Graph {
  const [output = ''] = embedding.outputs.keys();
  joinGraphs(embedding, decoder, { [EMBEDDINGS]: output });
  return embedding;
}
