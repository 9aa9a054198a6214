import { ModelError } from '@dynaprompt/core';
import { openBackboneFolder, type BackboneFolder } from '@dynaprompt/backbone';
import { calibrate } from '../calibration/calibrate.js';
import { pendingCalibration } from '../calibration/options.js';
import { readModelConfig, type ModelConfig } from '../folder/model-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import { chatTokenizer, mayChat } from '../tokenization/chat.js';
import { CHAT_TEMPLATE_FILE } from '../tokenization/render-chat.js';
import { loadTokenizer, TOKENIZER_FILES, type Tokenizer } from '../tokenization/tokenizer.js';
import type { TextAdapter, TextBackbone, TextBackboneOptions } from './adapter.js';
import { maximumOwnTokens } from './checks.js';
import { resolveHead, type HeadOptions } from './head.js';
import { textBackbone } from './text-backbone.js';
import type { TextModel } from './text-model.js';

/**
 * Opens a folder or hub id with the adapter that takes models of its kind.
 * @throws ModelError, ConfigurationError, and errors of onnx-autodiff.
 */
export async function openBackbone(
  location: string,
  options: TextBackboneOptions,
  adapters: readonly TextAdapter[],
): Promise<TextBackbone> {
  const files = await openBackboneFolder(location, TOKENIZER_FILES, options);
  const config = readModelConfig(
    files.config,
    adapters.map(({ kind }) => kind),
  );
  const adapter = adapters.find(({ kind }) => kind === config.adapter) ?? adapters[0];
  if (!adapter) throw new TypeError('no adapter was given');
  const tokenizer = await openTokenizer(files, adapter, options.head);
  const maximum = maximumOwnTokens(options.reserve, options.maximumTokens, config.maximumTokens);
  const head = resolveHead(options.head, tokenizer, maximum, adapter.kind);
  const model = await adapter.read(files, config, head, options);
  checkMatch(model, config, tokenizer.vocabulary);
  const sides = adapter.sides(model, options.padding ?? 'right');
  const parts = { name: files.name, commit: files.commit, config, tokenizer, maximum, model, sides };
  if (pendingCalibration(options.head) === undefined) return textBackbone({ ...parts, head, options });
  const calibrated = await calibrate(options.head, textBackbone({ ...parts, head, options }));
  return textBackbone({
    ...parts,
    head: resolveHead(calibrated, tokenizer, maximum, adapter.kind),
    options: { ...options, head: calibrated },
  });
}

/**
 * The tokeniser of a folder as an adapter and a head frame texts.
 * @throws ModelError if its files cannot be used, ConfigurationError if the head asks for a chat that cannot be had.
 */
export async function openTokenizer(
  files: BackboneFolder,
  adapter: Pick<TextAdapter, 'kind' | 'frame'>,
  head: HeadOptions,
): Promise<Tokenizer> {
  if (mayChat(head)) await files.optional(CHAT_TEMPLATE_FILE);
  const tokenizer = adapter.frame(await loadTokenizer(files.folder));
  return chatTokenizer(tokenizer, head, adapter.kind === 'decoder');
}

/** Refuses a folder whose files belong to different models. */
function checkMatch(model: TextModel, config: ModelConfig, vocabulary: number): void {
  const fail = (problem: string): never => {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: model.files[0] ?? '',
      problem,
      remedy: 'Take config.json, the tokeniser and the model from one revision of one repository',
    });
  };
  if (model.width !== config.embeddingWidth)
    fail(`it is ${model.width} wide, config.json says ${config.embeddingWidth}`);
  if (model.vocabulary < vocabulary)
    fail(`it knows ${model.vocabulary} tokens, the tokeniser gives ${vocabulary}`);
}
