import { ModelError, type FrozenBackbone, type ParameterSet, type PromptPlan } from '@dynaprompt/core';
import { floatsOf, int64, type Session } from '@dynaprompt/onnx-autodiff';
import { openBackboneFolder } from '../folder/backbone-folder.js';
import { fingerprint } from '../folder/fingerprint.js';
import type { HubOptions } from '../folder/hub.js';
import { readEncoderConfig } from '../folder/model-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import { encodeExample, type EncodedExample, type TextExample } from '../tokenization/encode.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { assembleBatch, type BatchOptions, type PromptedBatch } from './batch.js';
import { checkLabels, checkPlan, maximumOwnTokens } from './checks.js';
import { feedsOf, fineTuningOf } from './fine-tuning.js';
import { initialHead, resolveHead, type HeadOptions } from './head.js';
import { INPUT, OUTPUT } from './names.js';
import { readPromptedModel, type PromptedModel, type TrainingVariant } from './prompted-graph.js';
import { SessionCache } from './session-cache.js';
import { stepOf } from './step.js';

/** How a text encoder is opened. */
export interface TextEncoderOptions extends HubOptions {
  readonly head: HeadOptions;
  /** Most slots a plan may have; so many of the model's positions are kept free of text. */
  readonly reserve: number;
  /** Most tokens of an example without its prompt; default: what the model takes less `reserve`. */
  readonly maximumTokens?: number;
  /** Threads within an operator; default: as many as onnxruntime finds cores. */
  readonly threads?: number;
}

/**
 * Opens a BERT-family encoder as a frozen backbone for dynamic prompts: prompts go between [CLS] and [SEP], are attended like
 * tokens, take the position embedding of the slot they stand in, and are differentiated inside onnxruntime.
 *
 * @param location folder with config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx, or a hub id.
 * @returns a backbone whose features are [B, d] and whose logits are [B, classes]; after `release` its methods reject.
 * @throws ModelError if a file is missing or belongs to another model, the family is not supported, the hub does not give a
 * file, or the model has no masked-language head for a verbaliser.
 * @throws ConfigurationError if the head does not fit the tokeniser, or `reserve` leaves no room for text.
 * @throws MalformedModelError (of onnx-autodiff) if the ONNX file is truncated, a git-lfs pointer or no model, and
 * StructureNotFoundError if it has no token embeddings to put prompts between.
 */
export async function createTextEncoder(
  location: string,
  options: TextEncoderOptions,
): Promise<FrozenBackbone<TextExample>> {
  const files = await openBackboneFolder(location, options);
  const config = readEncoderConfig(files.config);
  const tokenizer = await loadTokenizer(files.folder);
  const maximum = maximumOwnTokens(options.reserve, options.maximumTokens, config.maximumTokens);
  const head = resolveHead(options.head, tokenizer, maximum);
  const file = await files.model();
  const model = readPromptedModel(file, head);
  checkMatch(file, model, config.width, tokenizer.vocabulary);
  const sessionOptions = options.threads === undefined ? {} : { threads: options.threads };
  const sessions = new SessionCache(files.name);
  const inference = (deep: number): Promise<Session> =>
    sessions.get(`inference ${deep}`, () => model.openInference(deep, sessionOptions));
  const training = (variant: TrainingVariant): Promise<Session> =>
    sessions.get(JSON.stringify(variant), () => model.openTraining(variant, sessionOptions));

  const encodings = new WeakMap<TextExample, EncodedExample>();
  const encode = (example: TextExample): EncodedExample => {
    const template = head.kind === 'verbalizer' ? head.template : undefined;
    const encoded = encodings.get(example) ?? encodeExample(tokenizer, example, template, maximum);
    encodings.set(example, encoded);
    return encoded;
  };
  const arrange = (
    examples: readonly TextExample[],
    plan: PromptPlan | undefined,
    own: Pick<BatchOptions, 'gating' | 'pooling'>,
  ): PromptedBatch => {
    const { width, layers } = model;
    checkPlan(plan, examples.length, { width, layers, reserve: options.reserve });
    const shared = { head, padId: tokenizer.padId, width, modelInputs: model.modelInputs };
    return assembleBatch(examples.map(encode), plan, { ...shared, ...own });
  };
  const infer = async (
    examples: readonly TextExample[],
    plan: PromptPlan | undefined,
    parameters: ParameterSet,
    output: string,
    pooling: Pick<BatchOptions, 'pooling'> = {},
  ): Promise<Float32Array> => {
    const batch = arrange(examples, plan, { gating: 'hard', ...pooling });
    const session = await inference(plan?.deep?.layers ?? 0);
    return floatsOf((await session.run({ ...batch.feeds, ...feedsOf(parameters) }))[output]);
  };
  const neutralHead = initialHead(head, model.width, 0);

  return {
    description: {
      name: files.name,
      family: config.family,
      revision: fingerprint(file),
      dtype: 'fp32',
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
    features: (examples) => infer(examples, undefined, neutralHead, OUTPUT.pooled, { pooling: 'mean' }),
    pooled: (examples) => infer(examples, undefined, neutralHead, OUTPUT.pooled),
    predict: (examples, plan, parameters) => infer(examples, plan, parameters, OUTPUT.logits),
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
        [INPUT.slots]: int64(arranged.slots, [plan.batch, plan.slots]),
        [INPUT.labels]: int64(batch.labels, [plan.batch]),
      };
      return stepOf(await session.run(feeds), arranged, plan, parameters, request);
    },
    fineTuning() {
      return sessions.whileOpen(() =>
        fineTuningOf({
          model: model.trainable(),
          sessions: new SessionCache(files.name),
          sessionOptions,
          arrange: (examples) => arrange(examples, undefined, { gating: 'hard' }),
          checkLabels: (batch) => {
            checkLabels(batch, head.classes);
          },
        }),
      );
    },
    lengthOf: (example) => encode(example).ids.length,
    identify: (example) => JSON.stringify([example.text, example.pair ?? null, maximum, options.head]),
    release: () => sessions.release(),
  };
}

/** Refuses a folder whose files belong to different models. */
function checkMatch(file: string, model: PromptedModel, width: number, vocabulary: number): void {
  const fail = (problem: string): never => {
    throw new ModelError({
      packageName: PACKAGE_NAME,
      subject: file,
      problem,
      remedy: 'Take config.json, the tokeniser and the model from one revision of one repository',
    });
  };
  if (model.width !== width) fail(`it is ${model.width} wide, config.json says ${width}`);
  if (model.vocabulary < vocabulary)
    fail(`it knows ${model.vocabulary} tokens, the tokeniser gives ${vocabulary}`);
}
