import { checkLabels, takeRows } from '@dynaprompt/backbone';
import { DataError, type FrozenBackbone, type LabelledBatch, type PromptPlan } from '@dynaprompt/core';
import { int64 } from '@dynaprompt/onnx-autodiff';
import { contentHash, visualPromptRows } from '@dynaprompt/vision';
import type { LogitScale } from '../folder/logit-scale.js';
import { ownFeeds, SCORE_INPUT, type ScoreHead } from '../graph/scores.js';
import { initialSource } from '../graph/vision-source.js';
import { PACKAGE_NAME } from '../package-name.js';
import { describe } from './describe.js';
import { isAugmented, type DualEncoder } from './dual-encoder.js';
import type { StepImages, StepTexts } from './dual-step.js';
import type { DualTask } from './dual-task.js';
import { embedder } from './embed.js';
import { readThrough } from './embedding-cache.js';
import { imageTower } from './image-tower.js';
import { hasOnePrompt, isAlike, planPart, refuseUnlike } from './plan-rows.js';
import { beside } from './plan-sides.js';
import { plansFor } from './plans.js';
import { evenRuns, runsByTexts, type Run } from './runs.js';
import { scoreRows } from './score-rows.js';
import { StepSum } from './step-sum.js';
import { projection, products } from './unit-rows.js';

/** Everything that a frozen dual encoder is made of. */
export interface DualBackboneParts<Example> {
  /** `model_type`, e.g. `clip`. */
  readonly family: string;
  readonly encoder: DualEncoder;
  readonly task: DualTask<Example>;
  readonly logitScale: LogitScale;
  /** Ids to start prompts from. */
  readonly startIds: (count: number, offset: number) => readonly number[];
  /** What makes embeddings of examples what they are, besides their content. */
  readonly making: string;
}

const CHUNK_ROWS = 256;
const DRAWS = 4;

/** A dual encoder with a task as a frozen backbone. */
export function dualBackbone<Example extends { readonly id?: string }>(
  parts: DualBackboneParts<Example>,
): FrozenBackbone<Example> {
  const { encoder, task, logitScale, making } = parts;
  const { text, vision, width: embeddingWidth, source, options } = encoder.parts;
  const { trainLogitScale = false, chunkRows = CHUNK_ROWS, draws = DRAWS, imageCache } = options;
  const { classes, scoring } = task;
  const description = describe(encoder.parts, parts.family);
  const plans = plansFor(encoder.parts, description.layers);
  const { inText, inVision, width } = plans;
  const isShared = scoring === 'shared';
  const trainsScale = trainLogitScale && scoring !== 'fused';
  const head: ScoreHead = {
    scoring,
    logitScale,
    trainsScale,
    classes,
    width: embeddingWidth,
    reads: task.reads,
  };
  const kept = imageCache?.(imageTower({ encoder, description, classes, making }));
  const images = kept
    ? readThrough(kept, encoder.images, (image) => !isAugmented(image, options))
    : encoder.images;
  const embed = embedder({ encoder, task, images, inText, inVision });
  const features = async (examples: readonly Example[]): Promise<Float32Array> => {
    plans.check(undefined, examples.length);
    return widened(await embed.features(examples), embed.featureWidth, width);
  };

  const runsOf = (examples: readonly Example[]): readonly Run[] =>
    isShared
      ? [[0, examples.length]]
      : runsByTexts(
          examples.map((example) => task.textsOf(example).length),
          chunkRows,
        );
  /** Classes that are embedded once for all images of a run meet one draw of place and length, as they do in predictions. */
  const stepRunsOf = (examples: readonly Example[], plan: PromptPlan): readonly Run[] => {
    if (!isShared || !inText) return runsOf(examples);
    const { text: own } = plans.sidesOf(plan);
    if (!hasOnePrompt(own)) throw refuseUnlike();
    return evenRuns(examples.length, isAlike(own) ? 1 : draws);
  };
  const stepImages = async (examples: readonly Example[], plan: PromptPlan): Promise<StepImages> => {
    if (!task.reads.images) return undefined;
    if (inVision) return { examples: examples.map((example) => task.imageOf(example)), plan };
    return { embeddings: await embed.images(examples, undefined, new Map()) };
  };
  const stepTexts = async (
    examples: readonly Example[],
    plan: PromptPlan,
    owners: readonly number[],
  ): Promise<StepTexts> => {
    if (!task.reads.texts) return undefined;
    if (!inText) return { embeddings: await embed.texts(examples, undefined) };
    const rows = isShared ? task.shared : examples.flatMap((example) => task.textsOf(example));
    return { rows, plan: takeRows(plan, owners) };
  };

  return {
    description,
    width,
    classes,
    initialHead(seed) {
      const scale = { shape: [1], values: Float32Array.of(logitScale.scale) };
      return new Map([
        ...task.initialHead(seed),
        ...initialSource(source, description.layers, seed),
        ...(trainsScale ? [[SCORE_INPUT.scale, scale] as const] : []),
      ]);
    },
    async promptRows(count, offset) {
      const ofText = inText ? await encoder.tokenRows(parts.startIds(count, offset)) : new Float32Array();
      if (width === text.width && inText) return ofText;
      const ofVision = visualPromptRows(count, offset, vision);
      return inText ? beside(ofText, ofVision, [text.width, vision.width]) : ofVision;
    },
    features,
    pooled: features,
    async predict(examples, plan, values) {
      plans.check(plan, examples.length);
      const logits = new Float32Array(examples.length * classes);
      for (const [start, count] of runsOf(examples)) {
        const part = examples.slice(start, start + count);
        const rows = plan && plans.sidesOf(planPart(plan, start, count));
        const scored = {
          images: task.reads.images ? await embed.images(part, rows?.vision, values) : undefined,
          texts: task.reads.texts ? await embed.texts(part, rows?.text) : undefined,
          counts: part.map((example) => task.textsOf(example).length),
        };
        const isBare = task.sharedEmbeddings !== undefined && (!plan || !inText);
        logits.set(
          scoreRows(isBare ? { ...head, scoring: 'shared' } : head, values, scored),
          start * classes,
        );
      }
      return logits;
    },
    async differentiate(batch, plan, values, request) {
      checkAnswers(batch, task);
      plans.check(plan, batch.examples.length);
      const sum = new StepSum(plan.batch, classes, plan, request);
      for (const [start, count] of stepRunsOf(batch.examples, plan)) {
        const examples = batch.examples.slice(start, start + count);
        const sides = plans.sidesOf(planPart(plan, start, count));
        const counts = examples.map((example) => task.textsOf(example).length);
        const owners = isShared
          ? task.shared.map(() => 0)
          : counts.flatMap((texts, example) => new Array<number>(texts).fill(example));
        const answer = await encoder.differentiate({
          texts: await stepTexts(examples, sides.text, owners),
          images: await stepImages(examples, sides.vision),
          head,
          headValues: values,
          feeds: {
            labels: int64(batch.labels.subarray(start, start + count), [count]),
            ...(scoring === 'own' ? ownFeeds(counts, classes) : {}),
          },
          request,
        });
        const gradient = plans.gradientOf(answer.text, owners, answer.vision, count);
        sum.place(start, count, { ...answer.step, plan: gradient });
      }
      return sum.step();
    },
    async prepare(examples) {
      if (!task.reads.images || task.standInOf) return;
      const wanted = examples
        .map((example) => task.imageOf(example))
        .filter((image) => inVision || isAugmented(image, options) || !images.has(image));
      await encoder.whileOpen(() => encoder.parts.pixels.prepare(wanted));
    },
    lengthOf: (example) =>
      isShared
        ? vision.patches.special + vision.content
        : Math.max(0, ...task.textsOf(example).map(({ ids }) => ids.length)),
    identify: (example) =>
      JSON.stringify([contentHash(task.imageOf(example)), task.identify(example), making, width]),
    release: () => encoder.release(),
  };
}

/** @throws DataError naming the example whose label is none of its answers. */
function checkAnswers<Example extends { readonly id?: string }>(
  batch: LabelledBatch<Example>,
  { classes, countOf }: DualTask<Example>,
): void {
  checkLabels(batch, { classes, range: undefined, candidatesOf: undefined });
  batch.examples.forEach((example, index) => {
    const count = countOf?.(example) ?? classes;
    if ((batch.labels[index] ?? 0) < count) return;
    throw new DataError({
      packageName: PACKAGE_NAME,
      subject: `example ${example.id ?? index}`,
      problem: `label ${batch.labels[index] ?? 'missing'} is not in 0..${count - 1}`,
      remedy: 'Give the index of one of its candidates',
    });
  });
}

/** Rows of another width; see `projection`. */
function widened(rows: Float32Array, from: number, to: number): Float32Array {
  const matrix = projection(from, to);
  return matrix ? products(rows, matrix, from) : rows;
}
