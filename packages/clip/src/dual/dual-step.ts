import {
  feedsOf,
  OUTPUT,
  PROMPT_INPUT,
  stepOf,
  type PromptedBatch,
  type SessionCache,
} from '@dynaprompt/backbone';
import type { BackboneStep, GradientRequest, ParameterSet, PromptPlan } from '@dynaprompt/core';
import { float32, type TensorValue } from '@dynaprompt/onnx-autodiff';
import type { VisionExample } from '@dynaprompt/vision';
import { SCORE_INPUT, type ScoreHead } from '../graph/scores.js';
import { VISION_SUFFIX } from '../graph/step-graph.js';
import { PIXELS } from '../towers/names.js';
import type { TokenRow } from '../towers/text-batch.js';
import { arrangeImages, arrangeTexts, slotFeed, variantOf } from './arrange.js';
import type { DualParts } from './dual-parts.js';
import { openStep } from './open-sessions.js';

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

/** A tower with prompts in a step. */
interface Prompted {
  readonly batch: PromptedBatch;
  readonly plan: PromptPlan;
}

/** Loss, logits and gradients of the towers with prompts, from one run. */
export async function differentiateTowers(
  parts: DualParts,
  sessions: SessionCache,
  { texts, images, head, headValues, feeds, request }: DualStep,
): Promise<DualAnswer> {
  const { width, pixels } = parts;
  const text =
    texts && 'rows' in texts
      ? { batch: arrangeTexts(parts, texts.rows, texts.plan, 'soft'), plan: texts.plan }
      : undefined;
  const vision =
    images && 'examples' in images
      ? { batch: arrangeImages(parts, images.examples.length, images.plan, 'soft'), plan: images.plan }
      : undefined;
  const variant = {
    text: text && variantOf(text.batch, text.plan),
    vision: vision && variantOf(vision.batch, vision.plan),
    others: { text: sideOf(texts), vision: sideOf(images) },
    head,
    position: request.position,
  };
  const session = await sessions.get(JSON.stringify(variant), () =>
    openStep(parts, variant, [...headValues.keys()]),
  );
  const suffix = text && vision ? VISION_SUFFIX : '';
  const given: Record<string, TensorValue> = { ...feeds, ...feedsOf(headValues), ...text?.batch.feeds };
  if (text) given[PROMPT_INPUT.slots] = slotFeed(text.batch);
  if (vision && images && 'examples' in images) {
    const values = await sessions.whileOpen(() => pixels.of(images.examples, false));
    const own = { ...vision.batch.feeds, [PROMPT_INPUT.slots]: slotFeed(vision.batch), [PIXELS]: values };
    for (const [name, value] of Object.entries(own)) given[`${name}${suffix}`] = value;
  }
  if (texts && 'embeddings' in texts) given[SCORE_INPUT.texts] = rowsFeed(texts.embeddings, width);
  if (images && 'embeddings' in images) given[SCORE_INPUT.images] = rowsFeed(images.embeddings, width);
  const known = Object.entries(given).filter(([name]) => session.inputs.has(name));
  const results = await session.run(Object.fromEntries(known));
  const trained = new Map([...headValues].filter(([name]) => `${name}.gradient` in results));
  const stepFor = ({ batch, plan }: Prompted, end: string): BackboneStep =>
    stepOf(resultsOf(results, end), batch, plan, trained, request);
  const ofText = text && stepFor(text, '');
  const ofVision = vision && stepFor(vision, suffix);
  const step = ofText ?? ofVision;
  if (!step) throw new TypeError('a step needs a tower with prompts');
  return { step, text: ofText?.plan, vision: ofVision?.plan };
}

function sideOf(side: StepTexts | StepImages): 'fed' | 'absent' {
  return side === undefined ? 'absent' : 'fed';
}

function rowsFeed(values: Float32Array, width: number): TensorValue {
  return float32(values, [values.length / width, width]);
}

/** Results of one tower under the names that a tower by itself gives them. */
function resultsOf(
  results: Readonly<Record<string, TensorValue>>,
  suffix: string,
): Readonly<Record<string, TensorValue>> {
  const entries = Object.entries(results);
  if (suffix === '') return Object.fromEntries(entries.filter(([name]) => !name.endsWith(VISION_SUFFIX)));
  const shared = entries.filter(
    ([name]) => name.endsWith('.gradient') || name === OUTPUT.loss || name === OUTPUT.logits,
  );
  const own = entries.flatMap(([name, value]) =>
    name.endsWith(suffix) ? [[name.slice(0, -suffix.length), value] as const] : [],
  );
  return Object.fromEntries([...shared, ...own]);
}
