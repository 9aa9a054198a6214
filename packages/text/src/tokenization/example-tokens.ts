import type { ExampleLayout } from '@dynaprompt/core';
import type { TextAdapter, TextBackboneOptions } from '../backbone/adapter.js';
import { maximumOwnTokens } from '../backbone/checks.js';
import { openTokenizer } from '../backbone/open-backbone.js';
import { questionReader } from '../backbone/encode-examples.js';
import { resolveHead } from '../backbone/head.js';
import { decoderAdapter } from '../decoder/adapter.js';
import { encoderAdapter } from '../encoder/adapter.js';
import { openBackboneFolder } from '@dynaprompt/backbone';
import { readModelConfig } from '../folder/model-config.js';
import { seq2seqAdapter } from '../seq2seq/adapter.js';
import type { TextExample } from './encode.js';
import { TOKENIZER_FILES } from './tokenizer.js';

/** One example as a backbone reads it, without a prompt. */
export interface ExampleTokens {
  /** As the vocabulary spells them, special tokens and the wording of a template included. */
  readonly tokens: readonly string[];
  /** Framing and content; the places of a prompt are counted in the content. */
  readonly layout: Omit<ExampleLayout, 'active'>;
}

const adapters: readonly TextAdapter[] = [encoderAdapter, decoderAdapter, seq2seqAdapter];

/**
 * Opens the tokeniser of a backbone alone, to show what the backbone that is opened with the same options reads.
 * @throws ModelError, ConfigurationError as `openTextBackbone` does; the function that is returned throws a DataError for an
 * example that cannot be used.
 */
export async function openExampleTokens(
  location: string,
  options: Pick<TextBackboneOptions, 'head' | 'reserve' | 'maximumTokens' | 'revision'>,
): Promise<(example: TextExample) => ExampleTokens> {
  const files = await openBackboneFolder(location, TOKENIZER_FILES, options);
  const { adapter: kind, maximumTokens } = readModelConfig(
    files.config,
    adapters.map((adapter) => adapter.kind),
  );
  const adapter = adapters.find((known) => known.kind === kind) ?? encoderAdapter;
  const tokenizer = await openTokenizer(files, adapter, options.head);
  const maximum = maximumOwnTokens(options.reserve, options.maximumTokens, maximumTokens);
  const head = resolveHead(options.head, tokenizer, maximum, kind);
  const read = questionReader(tokenizer, head, kind, maximum);
  const { AutoTokenizer } = await import('@huggingface/transformers');
  const vocabulary = await AutoTokenizer.from_pretrained(files.folder, { local_files_only: true });
  const names = new Map([...vocabulary.get_vocab()].map(([token, id]) => [id, token]));
  return (example) => {
    const { ids, layout } = read(example);
    return { tokens: ids.map((id) => names.get(id) ?? `#${id}`), layout };
  };
}
