import { ModelError, type FrozenBackbone } from '@dynaprompt/core';
import { openBackboneFolder } from '@dynaprompt/backbone';
import { readModelConfig, type ModelConfig } from '../folder/model-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import type { TextExample } from '../tokenization/encode.js';
import { loadTokenizer, TOKENIZER_FILES } from '../tokenization/tokenizer.js';
import type { TextAdapter, TextBackboneOptions } from './adapter.js';
import { maximumOwnTokens } from './checks.js';
import { resolveHead } from './head.js';
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
): Promise<FrozenBackbone<TextExample>> {
  const files = await openBackboneFolder(location, TOKENIZER_FILES, options);
  const config = readModelConfig(
    files.config,
    adapters.map(({ kind }) => kind),
  );
  const adapter = adapters.find(({ kind }) => kind === config.adapter) ?? adapters[0];
  if (!adapter) throw new TypeError('no adapter was given');
  const tokenizer = adapter.frame(await loadTokenizer(files.folder));
  const maximum = maximumOwnTokens(options.reserve, options.maximumTokens, config.maximumTokens);
  const head = resolveHead(options.head, tokenizer, maximum, adapter.kind);
  const model = await adapter.read(files, config, head);
  checkMatch(model, config, tokenizer.vocabulary);
  const sides = adapter.sides(model, options.padding ?? 'right');
  return textBackbone({ name: files.name, config, tokenizer, maximum, head, model, sides, options });
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
