import {
  declareOutputs,
  feedsOf,
  OUTPUT,
  probeFloats,
  PROMPT_INPUT,
  SessionCache,
  stepOf,
  type Gating,
  type PromptedBatch,
} from '@dynaprompt/backbone';
import type { BackboneStep, GradientRequest, ParameterSet, PromptPlan } from '@dynaprompt/core';
import {
  Emitter,
  float32,
  floatsOf,
  int64,
  lowerToInt8,
  openSession,
  type Session,
  type SessionOptions,
  type TensorValue,
} from '@dynaprompt/onnx-autodiff';
import { assembleBatch, type Pixels, type VisionExample } from '@dynaprompt/vision';
import { promptImages, promptText, type PromptedTower, type TowerVariant } from '../graph/prompted-tower.js';
import { SCORE_INPUT, type ScoreHead } from '../graph/scores.js';
import { stepGraph, VISION_SUFFIX } from '../graph/step-graph.js';
import { tensorsOf, type VisionSource } from '../graph/vision-source.js';
import { EMBEDDING, PIXELS } from '../towers/names.js';
import { assembleTexts, type TokenRow } from '../towers/text-batch.js';
import type { TextTower } from '../towers/text-tower.js';
import type { VisionTower } from '../towers/vision-tower.js';
import { createRowCache, identityOf, type RowCache } from './embedding-cache.js';
import type { DualOptions } from './options.js';
import { probesOf } from './probes.js';
import { unitRows } from './unit-rows.js';

/** What a dual encoder is made of. */
export interface DualParts {
  readonly name: string;
  readonly text: TextTower;
  readonly vision: VisionTower;
  /** D */
  readonly width: number;
  readonly padId: number;
  readonly pixels: Pixels;
  /** Where prompts of the image tower come from. */
  readonly source: VisionSource;
  readonly options: DualOptions;
}

/** Texts of a step: with prompts, or their embeddings [R, D]. */
export type StepTexts =
  | { readonly rows: readonly TokenRow[]; readonly plan: PromptPlan }
  | { readonly embeddings: Float32Array }
  | undefined;

/** Images of a step: with prompts, or their embeddings [B, D]. */
export type StepImages =
  | { readonly examples: readonly VisionExample[]; readonly plan: PromptPlan }
  | { readonly embeddings: Float32Array }
  | undefined;

/** A step of one run. */
export interface DualStep {
  readonly texts: StepTexts;
  readonly images: StepImages;
  readonly head: ScoreHead;
  readonly headValues: ParameterSet;
  /** What the head reads besides, labels included. */
  readonly feeds: Readonly<Record<string, TensorValue>>;
  readonly request: GradientRequest;
}

/** Answer of a step: gradients for the plans that texts and images were given, each by itself. */
export interface DualAnswer {
  readonly step: Pick<BackboneStep, 'loss' | 'logits' | 'head'>;
  readonly text: BackboneStep['plan'] | undefined;
  readonly vision: BackboneStep['plan'] | undefined;
}

const EMBEDDING_BYTES = 64 * 2 ** 20;

/** Two towers, their sessions, and what they have embedded so far. */
export class DualEncoder {
  readonly images: RowCache<VisionExample>;
  readonly texts: RowCache<TokenRow>;
  readonly #sessions: SessionCache;

  constructor(readonly parts: DualParts) {
    const { options, width, name } = parts;
    const bytes = options.embeddingBytes ?? EMBEDDING_BYTES;
    this.#sessions = new SessionCache(name);
    const keyOf = (example: VisionExample): unknown =>
      isAugmented(example, options) ? undefined : identityOf(example);
    this.images = createRowCache(bytes, width, keyOf, (example) => this.embedImages([example], undefined));
    this.texts = createRowCache(
      bytes,
      width,
      ({ ids }) => ids.join(),
      (row) => this.embedTexts([row], undefined),
    );
  }

  /** Embeddings of texts [R, D], of length 1. */
  async embedTexts(rows: readonly TokenRow[], plan: PromptPlan | undefined): Promise<Float32Array> {
    const { width } = this.parts;
    const { feeds } = this.#arrangeTexts(rows, plan, 'hard');
    const variant = variantOf(feeds, plan);
    const session = await this.#sessions.get(`text ${JSON.stringify(variant)}`, () =>
      this.#openTower(promptText(this.parts.text, variant)),
    );
    return unitRows(floatsOf((await session.run(feeds))[EMBEDDING]), width);
  }

  /**
   * Embeddings of images [B, D], of length 1.
   * @param plan undefined: the tower as it is.
   */
  async embedImages(
    examples: readonly VisionExample[],
    plan: PromptPlan | undefined,
    head: ParameterSet = new Map(),
  ): Promise<Float32Array> {
    const { width, pixels } = this.parts;
    const source = plan ? this.parts.source : ({ kind: 'plan' } as const);
    const { feeds } = this.#arrangeImages(examples.length, plan, source, 'hard');
    const variant = variantOf(feeds, source.kind === 'own' ? undefined : plan);
    const session = await this.#sessions.get(`vision ${JSON.stringify([variant, source.kind])}`, () =>
      this.#openTower(promptImages(this.parts.vision, variant, source)),
    );
    const trained = ownTensors(head, tensorsOf(source));
    const values = await this.#sessions.whileOpen(() => pixels.of(examples, false));
    const results = await session.run({ ...feeds, ...feedsOf(trained), [PIXELS]: values });
    return unitRows(floatsOf(results[EMBEDDING]), width);
  }

  /** Rows of the table of token embeddings, [ids, d]. */
  async tokenRows(ids: readonly number[]): Promise<Float32Array> {
    const { text } = this.parts;
    const session = await this.#sessions.get('embedding', () => {
      const graph = text.graph.clone();
      graph.outputs.clear();
      new Emitter(graph).output('embeddings', text.embeddings);
      for (const name of text.graph.inputs.keys()) if (name !== 'input_ids') graph.inputs.delete(name);
      graph.prune();
      return openSession(graph, { prepack: false });
    });
    return floatsOf((await session.run({ input_ids: int64(ids, [1, ids.length]) })).embeddings);
  }

  /** Loss, logits and gradients of towers with prompts, from one run. */
  async differentiate({ texts, images, head, headValues, feeds, request }: DualStep): Promise<DualAnswer> {
    const { width, pixels, source } = this.parts;
    const text = texts && 'rows' in texts ? this.#arrangeTexts(texts.rows, texts.plan, 'soft') : undefined;
    const vision =
      images && 'examples' in images
        ? this.#arrangeImages(images.examples.length, images.plan, source, 'soft')
        : undefined;
    const plans = {
      text: texts && 'plan' in texts ? texts.plan : undefined,
      vision: images && 'plan' in images ? images.plan : undefined,
    };
    const session = await this.#openStep(
      {
        text: text && variantOf(text.feeds, plans.text),
        vision: vision && variantOf(vision.feeds, source.kind === 'own' ? undefined : plans.vision),
        others: [sideOf(texts), sideOf(images)],
        head,
        position: request.position,
      },
      [...headValues.keys()],
    );
    const isBeside = text !== undefined && vision !== undefined;
    const suffix = isBeside ? VISION_SUFFIX : '';
    const given: Record<string, TensorValue> = { ...feeds, ...feedsOf(headValues), ...text?.feeds };
    if (text) given[PROMPT_INPUT.slots] = slotFeed(text);
    if (vision && images && 'examples' in images) {
      const values = await this.#sessions.whileOpen(() => pixels.of(images.examples, false));
      const own = { ...vision.feeds, [PROMPT_INPUT.slots]: slotFeed(vision), [PIXELS]: values };
      for (const [name, value] of Object.entries(own)) given[`${name}${suffix}`] = value;
    }
    if (texts && 'embeddings' in texts) given[SCORE_INPUT.texts] = embeddingFeed(texts.embeddings, width);
    if (images && 'embeddings' in images) given[SCORE_INPUT.images] = embeddingFeed(images.embeddings, width);
    const known = Object.entries(given).filter(([name]) => session.inputs.has(name));
    const results = await session.run(Object.fromEntries(known));
    const trained = new Map([...headValues].filter(([name]) => `${name}.gradient` in results));
    const stepFor = (batch: PromptedBatch, plan: PromptPlan, end: string): BackboneStep =>
      stepOf(withoutSuffix(results, end), batch, plan, trained, request);
    const [textPlan, visionPlan] = [plans.text, plans.vision];
    const ofText = text && textPlan ? stepFor(text, textPlan, '') : undefined;
    const isFree = source.kind !== 'own';
    const ofVision = vision && visionPlan && isFree ? stepFor(vision, visionPlan, suffix) : undefined;
    const step = ofText ?? ofVision;
    if (!step) throw new TypeError('a step needs a tower with prompts of the plan');
    return { step, text: ofText?.plan, vision: ofVision?.plan };
  }

  /** Frees sessions and memory. */
  async release(): Promise<void> {
    await this.#sessions.release();
    this.images.clear();
    this.texts.clear();
    await this.parts.pixels.close();
  }

  /** @throws ModelError after `release`. */
  whileOpen<T>(make: () => T): Promise<T> {
    return this.#sessions.whileOpen(make);
  }

  #arrangeTexts(rows: readonly TokenRow[], plan: PromptPlan | undefined, gating: Gating): PromptedBatch {
    const { text, padId } = this.parts;
    return assembleTexts(rows, plan, gating, { ...text, padId });
  }

  #arrangeImages(
    count: number,
    plan: PromptPlan | undefined,
    source: VisionSource,
    gating: Gating,
  ): PromptedBatch {
    const { vision } = this.parts;
    const placed = plan && source.kind === 'own' ? inFront(plan.batch, source) : plan;
    const model = { ...vision, width: placed?.width ?? vision.width };
    const batch = assembleBatch(count, placed, model, { gating, skipped: vision.skipped });
    if (source.kind !== 'own') return batch;
    const feeds = Object.entries(batch.feeds).filter(([name]) => name !== PROMPT_INPUT.prompts);
    return { ...batch, feeds: Object.fromEntries(feeds) };
  }

  #openTower({ graph, output }: PromptedTower): Promise<Session> {
    new Emitter(graph).alias(output, EMBEDDING);
    graph.outputs.clear();
    declareOutputs(graph, [EMBEDDING]);
    if (this.parts.options.compute === 'int8') lowerToInt8(graph);
    return openSession(graph, sessionOptions(this.parts.options));
  }

  #openStep(
    variant: {
      readonly text: TowerVariant | undefined;
      readonly vision: TowerVariant | undefined;
      readonly others: readonly ['fed' | 'absent', 'fed' | 'absent'];
      readonly head: ScoreHead;
      readonly position: boolean;
    },
    headTensors: readonly string[],
  ): Promise<Session> {
    const { parts } = this;
    const { options, source } = parts;
    return this.#sessions.get(JSON.stringify(variant), async () => {
      const [texts, images] = variant.others;
      const graph = await stepGraph(
        {
          text: variant.text && promptText(parts.text, variant.text),
          vision: variant.vision && promptImages(parts.vision, variant.vision, source),
          others: { text: texts, vision: images },
          head: variant.head,
          headTensors,
          position: variant.position,
        },
        {
          probeInputs: probesOf(parts, variant, probeFloats),
          compute: options.compute ?? 'float32',
          ...(options.isolated === undefined ? {} : { isolated: options.isolated }),
        },
      );
      return openSession(graph, sessionOptions(options));
    });
  }
}

/** Whether a step sees another picture than the example's own. */
export function isAugmented(example: VisionExample, { augmentation }: DualOptions): boolean {
  return augmentation !== undefined && example.draw !== undefined;
}

function variantOf(feeds: Readonly<Record<string, TensorValue>>, plan: PromptPlan | undefined): TowerVariant {
  return { deep: plan?.deep?.layers ?? 0, gates: PROMPT_INPUT.keyBias in feeds };
}

function sideOf(side: StepTexts | StepImages): 'fed' | 'absent' {
  return side === undefined ? 'absent' : 'fed';
}

/** A plan of the head's own prompt, all of it in front. */
function inFront(batch: number, { slots, visionWidth }: Extract<VisionSource, { kind: 'own' }>): PromptPlan {
  return {
    batch,
    slots,
    width: visionWidth,
    prompts: new Float32Array(batch * slots * visionWidth),
    position: { mode: 'split', candidates: slots + 1, choice: new Int32Array(batch).fill(slots) },
    gates: undefined,
  };
}

function slotFeed({ slots, shape }: PromptedBatch): TensorValue {
  return int64(slots, [shape.slots === 0 ? 0 : slots.length / shape.slots, shape.slots]);
}

function embeddingFeed(values: Float32Array, width: number): TensorValue {
  return float32(values, [values.length / width, width]);
}

function ownTensors(head: ParameterSet, names: readonly string[]): ParameterSet {
  return new Map([...head].filter(([name]) => names.includes(name)));
}

/** Results of one tower under the names that a tower by itself gives them. */
function withoutSuffix(
  results: Readonly<Record<string, TensorValue>>,
  suffix: string,
): Readonly<Record<string, TensorValue>> {
  if (suffix === '') {
    const own = Object.entries(results).filter(([name]) => !name.endsWith(VISION_SUFFIX));
    return Object.fromEntries(own);
  }
  const shared = Object.entries(results).filter(
    ([name]) => name.endsWith('.gradient') || name === OUTPUT.loss || name === OUTPUT.logits,
  );
  const own = Object.entries(results).flatMap(([name, value]) =>
    name.endsWith(suffix) ? [[name.slice(0, -suffix.length), value] as const] : [],
  );
  return Object.fromEntries([...shared, ...own]);
}

function sessionOptions(options: DualOptions): SessionOptions {
  const { threads, isolated, executionProviders, providerFallback, warn } = options;
  const all = { threads, isolated, executionProviders, providerFallback, warn };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
