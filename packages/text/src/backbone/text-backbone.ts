import { fingerprint, frozenBackbone, readPromptedModel, type Purpose } from '@dynaprompt/backbone';
import type { FrozenBackbone } from '@dynaprompt/core';
import { floatsOf, Emitter, int64, openSession, type Session } from '@dynaprompt/onnx-autodiff';
import type { ModelConfig } from '../folder/model-config.js';
import type { TextExample } from '../tokenization/encode.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import type { TextBackboneOptions } from './adapter.js';
import { withAnswer } from './answers.js';
import { assembleBatch, type BatchOptions } from './batch.js';
import { questionReader } from './encode-examples.js';
import { headFeeds } from './head-feeds.js';
import { headGraph, rowsPerExample } from './head-graph.js';
import { initialHead, type Head } from './head.js';
import { INPUT } from './names.js';
import type { Sides } from '@dynaprompt/backbone';
import { emptyCache, layersOf, type TextModel } from './text-model.js';
import { withTokenTypes } from './token-types.js';

/** Everything that a frozen text model is made of. */
export interface TextBackboneParts {
  readonly name: string;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** Most tokens of an example without its prompt. */
  readonly maximum: number;
  readonly head: Head;
  readonly model: TextModel;
  readonly sides: Sides;
  readonly options: TextBackboneOptions;
}

/**
 * A text model with its head as a frozen backbone.
 * @throws ModelError if the model has no language head for a verbaliser.
 */
export function textBackbone(parts: TextBackboneParts): FrozenBackbone<TextExample> {
  const { name, config, tokenizer, maximum, head, model: source, sides, options } = parts;
  const { width } = source;
  const model = readPromptedModel({
    ...source,
    layers: layersOf(source),
    head: headGraph(source, head),
    placement: { carried: withTokenTypes },
  });
  const read = questionReader(tokenizer, head, source.kind, maximum);
  const times = rowsPerExample(source, head);
  const isHeadless = (purpose: Purpose): boolean => purpose === 'features' || purpose === 'pooled';

  return frozenBackbone<TextExample>({
    description: {
      name,
      family: config.family,
      revision: fingerprint(...source.files),
      maximumTokens: config.maximumTokens,
    },
    model,
    classes: head.classes,
    maximumSlots: options.reserve,
    rowsPerExample: times,
    options,
    initialHead: (seed) => initialHead(head, width, seed),
    arrange(examples, plan, purpose) {
      const questions = examples.map(read);
      const rows =
        times > 1 && !isHeadless(purpose)
          ? questions.flatMap((question) => question.answers.map((answer) => withAnswer(question, answer)))
          : questions;
      const batch = assembleBatch(rows, plan, {
        padId: tokenizer.padId,
        width,
        modelInputs: model.modelInputs,
        sides,
        gating: purpose === 'training' ? 'soft' : 'hard',
        pooling: purpose === 'features' ? 'mean' : poolingOf(source, head),
      });
      const answers = headFeeds(
        source,
        head,
        config.startToken,
        tokenizer,
        batch,
        questions,
        isHeadless(purpose),
      );
      return { ...batch, feeds: { ...batch.feeds, ...emptyCache(source.graph, rows.length), ...answers } };
    },
    async promptRows(count, offset, sessions) {
      const words = tokenizer.wordIds();
      const ids = Array.from({ length: count }, (_, index) => words[(offset + index) % words.length] ?? 0);
      const lookup = await sessions.get('embedding', () => openEmbedding(source));
      return floatsOf((await lookup.run({ [INPUT.ids]: int64(ids, [1, count]) })).embeddings);
    },
    lengthOf: (example) => read(example).ids.length,
    identify: ({ text, pair, choices }) =>
      JSON.stringify([text, pair ?? null, maximum, options.head, ...(choices ? [choices] : [])]),
  });
}

/** Output `embeddings` [B, T, d] of `input_ids`; the lookup alone. */
function openEmbedding({ graph: original, embeddings }: TextModel): Promise<Session> {
  const graph = original.clone();
  graph.outputs.clear();
  new Emitter(graph).output('embeddings', embeddings);
  for (const name of original.inputs.keys()) if (name !== INPUT.ids) graph.inputs.delete(name);
  graph.prune();
  return openSession(graph, { prepack: false });
}

/** What a head that is not linear reads, and a probe with it: the mask, the last token, or all tokens of an encoder. */
function poolingOf({ kind }: TextModel, head: Head): BatchOptions['pooling'] {
  if (head.kind === 'linear') return head.pooling;
  return kind === 'encoder' ? 'mask' : kind === 'decoder' ? 'last' : 'mean';
}
