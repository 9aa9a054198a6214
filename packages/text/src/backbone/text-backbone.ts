import { fingerprint, frozenBackbone, readPromptedModel, type Purpose } from '@dynaprompt/backbone';
import { floatsOf, Emitter, int64, openSession, type Session } from '@dynaprompt/onnx-autodiff';
import type { ModelConfig } from '../folder/model-config.js';
import type { TextExample } from '../tokenization/encode.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import type { TextBackbone, TextBackboneOptions } from './adapter.js';
import { assembleBatch, type BatchOptions } from './batch.js';
import { refuseBlindGates } from './checks.js';
import { candidatePairs, checkChoices, questionReader } from './encode-examples.js';
import { headFeeds } from './head-feeds.js';
import { headGraph } from './head-graph.js';
import { initialHead, isTrained, type Head } from './head.js';
import { INPUT } from './names.js';
import type { Sides } from '@dynaprompt/backbone';
import { emptyCache, layersOf, type TextModel } from './text-model.js';
import { withTokenTypes } from './token-types.js';

/** Everything that a frozen text model is made of. */
export interface TextBackboneParts {
  readonly name: string;
  readonly commit: string | undefined;
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
export function textBackbone(parts: TextBackboneParts): TextBackbone {
  const { name, commit, config, tokenizer, maximum, head, model: source, sides, options } = parts;
  const { width } = source;
  const model = readPromptedModel({
    ...source,
    layers: layersOf(source),
    head: headGraph(source, head),
    placement: { carried: withTokenTypes, gatesByRow: sides.inactive === 'front' },
  });
  const read = questionReader(tokenizer, head, source.kind, maximum);
  // Features do not depend on what is added to the logits.
  const uncalibrated = { ...options.head, calibration: undefined, biases: undefined, contentFree: undefined };
  const isHeadless = (purpose: Purpose): boolean => purpose === 'features' || purpose === 'pooled';

  const backbone = frozenBackbone<TextExample>({
    description: {
      name,
      family: config.family,
      revision: fingerprint(...source.files),
      ...(commit === undefined ? {} : { commit }),
      maximumTokens: config.maximumTokens,
    },
    model,
    classes: head.classes,
    ...(head.kind === 'regression' ? { range: head.range } : {}),
    ...(head.kind === 'candidates' ? { candidatesOf: candidateReader(head.classes) } : {}),
    rowsOf: (example) => read(example).rows.length,
    maximumSlots: options.reserve,
    options,
    initialHead: (seed) => initialHead(head, width, seed),
    arrange(examples, plan, purpose) {
      if (purpose === 'training' && plan?.gates) refuseBlindGates(source, sides);
      const questions = examples.map(read);
      if (head.kind === 'candidates' && !isHeadless(purpose))
        for (const example of examples) checkChoices(example, head.classes);
      const rows = isHeadless(purpose) ? questions : questions.flatMap((question) => question.rows);
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
    lengthOf: (example) => Math.max(...[read(example), ...read(example).rows].map(({ ids }) => ids.length)),
    identify: ({ text, pair, choices }) =>
      JSON.stringify([text, pair ?? null, maximum, uncalibrated, ...(choices ? [choices] : [])]),
  });
  return { ...backbone, head: options.head };
}

/** Candidates of an example as examples of their own; the same ones at every call. */
function candidateReader(most: number): (example: TextExample) => readonly TextExample[] {
  const known = new WeakMap<TextExample, readonly TextExample[]>();
  return (example) => {
    checkChoices(example, most);
    const pairs = known.get(example) ?? candidatePairs(example);
    known.set(example, pairs);
    return pairs;
  };
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
  if (isTrained(head)) return head.pooling;
  return kind === 'encoder' ? 'mask' : kind === 'decoder' ? 'last' : 'mean';
}
