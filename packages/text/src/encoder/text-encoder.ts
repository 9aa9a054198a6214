import type { TextBackbone, TextBackboneOptions } from '../backbone/adapter.js';
import { openBackbone } from '../backbone/open-backbone.js';
import { encoderAdapter } from './adapter.js';

/** How a text encoder is opened. */
export type TextEncoderOptions = TextBackboneOptions;

/**
 * Opens an encoder of the BERT family as a frozen backbone for dynamic prompts: prompts go between [CLS] and [SEP], are attended
 * like tokens, take the position embedding of the slot they stand in, and are differentiated inside onnxruntime.
 *
 * @param location folder with config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx, or a hub id.
 * @returns a backbone whose features are [B, d] and whose logits are [B, classes]; after `release` its methods reject.
 * @throws ModelError if a file is missing or belongs to another model, the family is not supported, the hub does not give a
 * file, or the model has no masked-language head for a verbaliser.
 * @throws ConfigurationError if the head does not fit the tokeniser, or `reserve` leaves no room for text.
 * @throws MalformedModelError (of onnx-autodiff) if the ONNX file is truncated, a git-lfs pointer or no model, and
 * StructureNotFoundError if it has no token embeddings to put prompts between.
 */
export function createTextEncoder(location: string, options: TextEncoderOptions): Promise<TextBackbone> {
  return openBackbone(location, options, [encoderAdapter]);
}
