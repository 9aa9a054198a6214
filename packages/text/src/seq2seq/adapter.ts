import { ModelError } from '@dynaprompt/core';
import { Emitter, type Graph } from '@dynaprompt/onnx-autodiff';
import type { TextAdapter } from '../backbone/adapter.js';
import { refuseLeftPadding } from '../backbone/checks.js';
import { isTrained, type Head } from '../backbone/head.js';
import { joinGraphs } from '@dynaprompt/backbone';
import { INPUT } from '../backbone/names.js';
import { repeatRows } from '../backbone/repeat-rows.js';
import { describeTextModel, prepareTextGraph } from '../backbone/text-model.js';
import { PACKAGE_NAME } from '../package-name.js';

const ENCODER_FILE = 'onnx/encoder_model.onnx';
const DECODER_FILES = ['onnx/decoder_model_merged.onnx', 'onnx/decoder_model.onnx'];
const HIDDEN = 'last_hidden_state';

/** T5 and its kin: prompts in the encoder, the answer in the decoder; a trained head needs no decoder. */
export const seq2seqAdapter: TextAdapter = {
  kind: 'seq2seq',
  async read(files, { width }, head) {
    const file = await files.model(ENCODER_FILE);
    const encoder = prepareTextGraph(file);
    if (!encoder.outputs.has(HIDDEN)) {
      throw new ModelError({
        packageName: PACKAGE_NAME,
        subject: file,
        problem: `it has no output ${HIDDEN}`,
        remedy: 'Use the encoder_model.onnx of an export for the task text2text-generation',
      });
    }
    const decoderFile = isTrained(head) ? undefined : await files.model(...DECODER_FILES);
    if (decoderFile !== undefined) addDecoder(encoder, prepareTextGraph(decoderFile), head);
    return describeTextModel({
      kind: 'seq2seq',
      graph: encoder,
      files: decoderFile === undefined ? [file] : [file, decoderFile],
      hiddenWidth: width,
      hidden: HIDDEN,
    });
  },
  frame: (tokenizer) => tokenizer,
  sides: refuseLeftPadding,
};

/** One graph of both: the gradient then passes from the decoder to the encoder by itself. */
function addDecoder(encoder: Graph, decoder: Graph, head: Head): void {
  const emit = new Emitter(encoder);
  const repeat = (tensor: string, rest: readonly number[]): string =>
    head.kind === 'scored' ? repeatRows(emit, tensor, head.classes, rest) : tensor;
  joinGraphs(encoder, decoder, {
    [INPUT.ids]: INPUT.decoderIds,
    encoder_hidden_states: repeat(HIDDEN, [1, 2]),
    encoder_attention_mask: repeat(INPUT.mask, [1]),
  });
}
