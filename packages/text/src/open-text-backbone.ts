import type { TextBackbone, TextBackboneOptions } from './backbone/adapter.js';
import { openBackbone } from './backbone/open-backbone.js';
import { decoderAdapter } from './decoder/adapter.js';
import { encoderAdapter } from './encoder/adapter.js';
import { seq2seqAdapter } from './seq2seq/adapter.js';

/**
 * Opens any supported text model as a frozen backbone for dynamic prompts, by the `model_type` of its config.json: an encoder as
 * `createTextEncoder` does; a decoder, with the prompt behind BOS and the answer behind the text; an encoder with a decoder, with
 * the prompt in the encoder and the answer in the decoder.
 *
 * @param location folder with config.json, the tokeniser's files and the model in onnx/, or a hub id.
 * @throws ModelError, ConfigurationError, and errors of onnx-autodiff as `createTextEncoder` does.
 */
export function openTextBackbone(location: string, options: TextBackboneOptions): Promise<TextBackbone> {
  return openBackbone(location, options, [encoderAdapter, decoderAdapter, seq2seqAdapter]);
}
