import type { FrozenBackbone, ParameterSet, PromptPlan } from '@dynaprompt/core';
import { floatsOf, int64, type Session } from '@dynaprompt/onnx-autodiff';
import { fingerprint } from '../folder/fingerprint.js';
import type { ModelConfig } from '../folder/model-config.js';
import type { TextExample } from '../tokenization/encode.js';
import type { Tokenizer } from '../tokenization/tokenizer.js';
import type { TextBackboneOptions } from './adapter.js';
import { repeatPlan, sumRepeated, withAnswer } from './answers.js';
import { assembleBatch, type BatchOptions, type PromptedBatch } from './batch.js';
import { checkLabels, checkPlan } from './checks.js';
import { questionReader } from './encode-examples.js';
import { feedsOf, fineTuningOf } from './fine-tuning.js';
import { headFeeds } from './head-feeds.js';
import { rowsPerExample } from './head-graph.js';
import { initialHead, type Head } from './head.js';
import { INPUT, OUTPUT } from './names.js';
import type { Sides } from './placement.js';
import {
  logitsOutput,
  readPromptedModel,
  type ComputeOptions,
  type TrainingVariant,
} from './prompted-graph.js';
import { SessionCache } from './session-cache.js';
import { stepOf } from './step.js';
import { emptyCache, type TextModel } from './text-model.js';

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

/** What a batch is arranged for. */
interface Arrangement extends Pick<BatchOptions, 'gating'> {
  readonly pooling?: BatchOptions['pooling'];
  /** Reads the texts alone, without the answers of the head. */
  readonly isHeadless?: boolean;
}

/**
 * A text model with its head as a frozen backbone.
 * @throws ModelError if the model has no language head for a verbaliser.
 */
export function textBackbone(parts: TextBackboneParts): FrozenBackbone<TextExample> {
  const { name, config, tokenizer, maximum, head, model: source, sides, options } = parts;
  const model = readPromptedModel(source, head);
  const sessionOptions = sessionOptionsOf(options);
  const sessions = new SessionCache(name);
  const inference = (deep: number): Promise<Session> =>
    sessions.get(`inference ${deep}`, () => model.openInference(deep, sessionOptions));
  const training = (variant: TrainingVariant): Promise<Session> =>
    sessions.get(JSON.stringify(variant), () => model.openTraining(variant, sessionOptions));

  const read = questionReader(tokenizer, head, source.kind, maximum);
  const times = rowsPerExample(source, head);
  const arrange = (
    examples: readonly TextExample[],
    plan: PromptPlan | undefined,
    { gating, pooling = poolingOf(source, head), isHeadless = false }: Arrangement,
  ): PromptedBatch => {
    const { width, layers, modelInputs } = model;
    checkPlan(plan, examples.length, { width, layers, reserve: options.reserve });
    const questions = examples.map(read);
    const isRepeated = times > 1 && !isHeadless;
    const rows = isRepeated
      ? questions.flatMap((question) => question.answers.map((answer) => withAnswer(question, answer)))
      : questions;
    const { padId } = tokenizer;
    const repeated = isRepeated ? repeatPlan(plan, times) : plan;
    const batch = assembleBatch(rows, repeated, { padId, width, modelInputs, sides, gating, pooling });
    const answers = headFeeds(source, head, config.startToken, tokenizer, batch, questions, isHeadless);
    return { ...batch, feeds: { ...batch.feeds, ...emptyCache(source.graph, rows.length), ...answers } };
  };
  const infer = async (
    examples: readonly TextExample[],
    plan: PromptPlan | undefined,
    parameters: ParameterSet,
    output: string,
    own: Omit<Arrangement, 'gating'> = {},
  ): Promise<Float32Array> => {
    const batch = arrange(examples, plan, { gating: 'hard', ...own });
    const session = await inference(plan?.deep?.layers ?? 0);
    return floatsOf((await session.run({ ...batch.feeds, ...feedsOf(parameters) }))[output]);
  };
  const neutralHead = initialHead(head, model.width, 0);

  return {
    description: {
      name,
      family: config.family,
      revision: fingerprint(...source.files),
      dtype: options.compute === 'int8' ? 'int8' : 'fp32',
      parameters: model.parameters,
      maximumTokens: config.maximumTokens,
      layers: model.layers,
    },
    width: model.width,
    classes: head.classes,
    initialHead: (seed) => initialHead(head, model.width, seed),
    async promptRows(count, offset) {
      const words = tokenizer.wordIds();
      const ids = Array.from({ length: count }, (_, index) => words[(offset + index) % words.length] ?? 0);
      const lookup = await sessions.get('embedding', () => model.openEmbedding());
      return floatsOf((await lookup.run({ [INPUT.ids]: int64(ids, [1, count]) })).embeddings);
    },
    features: (examples) =>
      infer(examples, undefined, neutralHead, OUTPUT.pooled, { pooling: 'mean', isHeadless: true }),
    pooled: (examples) => infer(examples, undefined, neutralHead, OUTPUT.pooled, { isHeadless: true }),
    predict: (examples, plan, parameters) => infer(examples, plan, parameters, logitsOutput(head)),
    async differentiate(batch, plan, parameters, request) {
      checkLabels(batch, head.classes);
      const arranged = arrange(batch.examples, plan, { gating: 'soft' });
      const session = await training({
        position: request.position,
        gates: plan.gates !== undefined,
        deep: plan.deep?.layers ?? 0,
      });
      const feeds = {
        ...arranged.feeds,
        ...feedsOf(parameters),
        [INPUT.slots]: int64(arranged.slots, [plan.batch * times, plan.slots]),
        [INPUT.labels]: int64(batch.labels, [plan.batch]),
      };
      const repeated = repeatPlan(plan, times) ?? plan;
      const step = stepOf(await session.run(feeds), arranged, repeated, parameters, request);
      return { ...step, plan: sumRepeated(step.plan, plan.batch, times) };
    },
    fineTuning() {
      return sessions.whileOpen(() =>
        fineTuningOf({
          model: model.trainable(),
          sessions: new SessionCache(name),
          sessionOptions,
          arrange: (examples) => arrange(examples, undefined, { gating: 'hard' }),
          checkLabels: (batch) => {
            checkLabels(batch, head.classes);
          },
        }),
      );
    },
    lengthOf: (example) => read(example).ids.length,
    identify: ({ text, pair, choices }) =>
      JSON.stringify([text, pair ?? null, maximum, options.head, ...(choices ? [choices] : [])]),
    release: () => sessions.release(),
  };
}

/** What a head that is not linear reads, and a probe with it: the mask, the last token, or all tokens of an encoder. */
function poolingOf({ kind }: TextModel, head: Head): BatchOptions['pooling'] {
  if (head.kind === 'linear') return head.pooling;
  return kind === 'encoder' ? 'mask' : kind === 'decoder' ? 'last' : 'mean';
}

function sessionOptionsOf(options: TextBackboneOptions): ComputeOptions {
  const { threads, compute, isolated, executionProviders, providerFallback, warn } = options;
  const given = { threads, compute, isolated, executionProviders, providerFallback, warn };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
