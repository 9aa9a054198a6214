import {
  ConfigurationError,
  DataError,
  nullThrows,
  positionGradient,
  rowSlots,
  type BackboneStep,
  type FrozenBackbone,
  type GradientRequest,
  type LabelledBatch,
  type ParameterSet,
  type PlanGradient,
  type PromptPlan,
} from '@dynaprompt/core';
import { float32, floatsOf, int64, type Session, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { openBackboneFolder, type HubOptions } from '../folder/backbone-folder.js';
import { fingerprint } from '../folder/fingerprint.js';
import { readEncoderConfig } from '../folder/model-config.js';
import { PACKAGE_NAME } from '../package-name.js';
import { encodeExample, type EncodedExample, type TextExample } from '../tokenization/encode.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { assembleBatch, GATE_FLOOR, type BatchOptions, type PromptedBatch } from './batch.js';
import { initialHead, resolveHead, type HeadOptions } from './head.js';
import { INPUT, OUTPUT, readPromptedModel, type TrainingVariant } from './prompted-graph.js';

/** How a text encoder is opened. */
export interface TextEncoderOptions extends HubOptions {
  readonly head: HeadOptions;
  /** Prompt slots to leave room for; texts are cut to `maximumTokens − reserve`. */
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
 * @throws ModelError if a file is missing or the family is not supported.
 * @throws ConfigurationError if the head does not fit the tokeniser, or `reserve` leaves no room for text.
 * @throws MalformedModelError (of onnx-autodiff) if the ONNX file is truncated or no model.
 */
export async function createTextEncoder(
  location: string,
  options: TextEncoderOptions,
): Promise<FrozenBackbone<TextExample>> {
  const files = await openBackboneFolder(location, options);
  const config = readEncoderConfig(files.config);
  const tokenizer = await loadTokenizer(files.folder);
  const head = resolveHead(options.head, tokenizer);
  const maximum = maximumOwnTokens(options, config.maximumTokens);
  const model = readPromptedModel(files.model, head);
  const sessionOptions = options.threads === undefined ? {} : { threads: options.threads };
  const sessions = new SessionCache();
  const inference = (): Promise<Session> =>
    sessions.get('inference', () => model.openInference(sessionOptions));
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
    checkPlan(plan, examples.length, model.width, options.reserve);
    const shared = { head, padId: tokenizer.padId, width: model.width, modelInputs: model.modelInputs };
    return assembleBatch(examples.map(encode), plan, { ...shared, ...own });
  };
  const infer = async (
    batch: PromptedBatch,
    parameters: ParameterSet,
    output: string,
  ): Promise<Float32Array> => {
    const session = await inference();
    return floatsOf((await session.run({ ...batch.feeds, ...headFeeds(parameters) }))[output]);
  };
  const neutralHead = initialHead(head, model.width, 0);

  return {
    description: {
      name: files.name,
      family: config.family,
      revision: fingerprint(files.model),
      dtype: 'fp32',
      parameters: model.parameters,
      maximumTokens: config.maximumTokens,
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
      infer(arrange(examples, undefined, { gating: 'hard', pooling: 'mean' }), neutralHead, OUTPUT.pooled),
    pooled: (examples) => infer(arrange(examples, undefined, { gating: 'hard' }), neutralHead, OUTPUT.pooled),
    predict: (examples, plan, parameters) =>
      infer(arrange(examples, plan, { gating: 'hard' }), parameters, OUTPUT.logits),
    async differentiate(batch, plan, parameters, request) {
      checkLabels(batch, head.classes);
      const arranged = arrange(batch.examples, plan, { gating: 'soft' });
      const session = await training({ position: request.position, gates: plan.gates !== undefined });
      const feeds = {
        ...arranged.feeds,
        ...headFeeds(parameters),
        [INPUT.slots]: int64(arranged.slots, [plan.batch, plan.slots]),
        [INPUT.labels]: int64(batch.labels, [plan.batch]),
      };
      return stepOf(await session.run(feeds), arranged, plan, parameters, request);
    },
    lengthOf: (example) => encode(example).ids.length,
    identify: (example) => JSON.stringify([example.text, example.pair ?? null, maximum, options.head]),
    release: () => sessions.release(),
  };
}

/** Sessions that were opened, by purpose. */
class SessionCache {
  readonly #open = new Map<string, Promise<Session>>();

  get(key: string, open: () => Promise<Session>): Promise<Session> {
    const session = this.#open.get(key) ?? open();
    this.#open.set(key, session);
    return session;
  }

  async release(): Promise<void> {
    const opened = [...this.#open.values()];
    this.#open.clear();
    for (const session of await Promise.all(opened)) await session.release();
  }
}

function stepOf(
  results: Readonly<Record<string, TensorValue>>,
  batch: PromptedBatch,
  plan: PromptPlan,
  parameters: ParameterSet,
  request: GradientRequest,
): BackboneStep {
  const gradient: PlanGradient = {
    prompts: floatsOf(results[OUTPUT.prompts]),
    position: request.position ? positionGradientOf(results, batch, plan.batch) : undefined,
    gates:
      request.gates && plan.gates
        ? gateGradient(floatsOf(results[OUTPUT.keyBias]), batch, plan, plan.gates)
        : undefined,
  };
  return {
    loss: nullThrows(floatsOf(results[OUTPUT.loss])[0], 'a session returned an empty loss'),
    logits: floatsOf(results[OUTPUT.logits]),
    plan: gradient,
    head: new Map([...parameters.keys()].map((name) => [name, floatsOf(results[`${name}.gradient`])])),
  };
}

function positionGradientOf(
  results: Readonly<Record<string, TensorValue>>,
  { shape, layouts, tables }: PromptedBatch,
  batch: number,
): Float32Array {
  const own = layouts.map(({ before, content, after }) => before + content + after);
  const columns = rowSlots(tables, batch, shape.slots + Math.max(...own));
  return positionGradient(shape, layouts, {
    scores: floatsOf(results[OUTPUT.scores]),
    columnCount: shape.total,
    columns,
  });
}

/** dL/dγ = (dL/d log γ) / γ, [B, l]. */
function gateGradient(
  keyBiasGradient: Float32Array,
  { shape, slots }: PromptedBatch,
  plan: PromptPlan,
  gates: Float32Array,
): Float32Array {
  return gates.map((gate, index) => {
    const example = Math.floor(index / plan.slots);
    const position = slots[index] ?? 0;
    return (keyBiasGradient[example * shape.total + position] ?? 0) / Math.max(gate, GATE_FLOOR);
  });
}

function headFeeds(parameters: ParameterSet): Record<string, TensorValue> {
  return Object.fromEntries(
    [...parameters].map(([name, { shape, values }]) => [name, float32(values, shape)]),
  );
}

function maximumOwnTokens(options: TextEncoderOptions, modelMaximum: number): number {
  const room = modelMaximum - options.reserve;
  if (!Number.isInteger(options.reserve) || options.reserve < 0 || room < 8) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'prompt slots',
      problem: `${options.reserve} slots leave ${room} of ${modelMaximum} tokens for the text`,
      remedy: 'Use fewer slots or a backbone with more positions',
    });
  }
  const wanted = options.maximumTokens ?? room;
  if (!Number.isInteger(wanted) || wanted < 4 || wanted > room) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: 'maximum length',
      problem: `${wanted} tokens do not fit beside ${options.reserve} prompt slots into ${modelMaximum} positions`,
      remedy: `Give a whole number from 4 to ${room}`,
    });
  }
  return wanted;
}

function checkPlan(plan: PromptPlan | undefined, batch: number, width: number, reserve: number): void {
  const fail = (problem: string): never => {
    throw new DataError({
      packageName: PACKAGE_NAME,
      subject: 'prompt plan',
      problem,
      remedy: 'Make the plan for this batch and this backbone',
    });
  };
  if (batch === 0) fail('the batch is empty');
  if (!plan) return;
  if (plan.batch !== batch) fail(`it is for ${plan.batch} examples, the batch has ${batch}`);
  if (plan.width !== width) fail(`it is ${plan.width} wide, the backbone ${width}`);
  if (plan.slots > reserve) fail(`it has ${plan.slots} slots, the backbone was opened for ${reserve}`);
  if (plan.prompts.length !== batch * plan.slots * width) fail(`${plan.prompts.length} prompt values`);
}

function checkLabels(batch: LabelledBatch<TextExample>, classes: number): void {
  batch.examples.forEach((example, index) => {
    const label = batch.labels[index];
    if (label !== undefined && label >= 0 && label < classes) return;
    throw new DataError({
      packageName: PACKAGE_NAME,
      subject: `example ${example.id ?? index}`,
      problem: `label ${label ?? 'missing'} is not in 0..${classes - 1}`,
      remedy: 'Open the backbone with the number of classes of the data',
    });
  });
}
