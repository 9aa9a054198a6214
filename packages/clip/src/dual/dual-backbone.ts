import { checkLabels, checkPlan, countParameters, fingerprint, takeRows } from '@dynaprompt/backbone';
import {
  DataError,
  type FrozenBackbone,
  type LabelledBatch,
  type PromptPlan,
} from '@dynaprompt/core';
import { int64 } from '@dynaprompt/onnx-autodiff';
import { contentHash, visualPromptRows } from '@dynaprompt/vision';
import type { ClipConfig } from '../folder/clip-config.js';
import type { LogitScale } from '../folder/logit-scale.js';
import { ownFeeds, SCORE_INPUT, type ScoreHead } from '../graph/scores.js';
import { initialSource } from '../graph/vision-source.js';
import { PACKAGE_NAME } from '../package-name.js';
import type { DualEncoder, StepImages, StepTexts } from './dual-encoder.js';
import { isAugmented } from './dual-encoder.js';
import type { DualTask } from './dual-task.js';
import { embedder } from './embed.js';
import { joinGradients, planPart } from './plan-rows.js';
import { scoreRows } from './score-rows.js';
import { StepSum } from './step-sum.js';
import { projection, products } from './unit-rows.js';

/** Everything that a frozen dual encoder is made of. */
export interface DualBackboneParts<Example> {
  readonly name: string;
  readonly config: ClipConfig;
  readonly encoder: DualEncoder;
  readonly task: DualTask<Example>;
  readonly logitScale: LogitScale;
  /** Ids to start prompts from. */
  readonly startIds: (count: number, offset: number) => readonly number[];
  /** What makes embeddings of examples what they are, besides their content. */
  readonly making: string;
}

const CHUNK_ROWS = 256;

/** A dual encoder with a task as a frozen backbone. */
export function dualBackbone<Example extends { readonly id?: string }>(
  parts: DualBackboneParts<Example>,
): FrozenBackbone<Example> {
  const { encoder, task, logitScale } = parts;
  const { text, vision, width: embeddingWidth, source, options } = encoder.parts;
  const { prompts: towers = 'text', reserve, trainLogitScale = false, chunkRows = CHUNK_ROWS } = options;
  const inText = towers !== 'vision';
  const inVision = towers !== 'text';
  const width = inText ? text.width : vision.width;
  const coupledLayers = source.kind === 'coupled' ? (options.layers ?? 1) : undefined;
  const layers = coupledLayers ?? (inText ? text.layers.length : vision.layers.length);
  const { classes, scoring } = task;
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
  const embed = embedder({ encoder, task, inText, inVision });

  const check = (plan: PromptPlan | undefined, batch: number): void => {
    checkPlan(plan, batch, { width, layers, reserve });
    const own = (plan?.deep?.layers ?? 0) + 1;
    if (!plan || coupledLayers === undefined || own === coupledLayers) return;
    throw new DataError({
      packageName: PACKAGE_NAME,
      subject: 'prompt plan',
      problem: `it has prompts for ${own} layers, ${coupledLayers} are coupled`,
      remedy: `Open the backbone with layers: ${own}`,
    });
  };
  const checkOwnLabels = (batch: LabelledBatch<Example>): void => {
    checkLabels(batch, { classes, range: undefined, candidatesOf: undefined });
    batch.examples.forEach((example, index) => {
      const count = task.countOf?.(example) ?? classes;
      if ((batch.labels[index] ?? 0) < count) return;
      throw new DataError({
        packageName: PACKAGE_NAME,
        subject: `example ${example.id ?? index}`,
        problem: `label ${batch.labels[index] ?? 'missing'} is not in 0..${count - 1}`,
        remedy: 'Give the index of one of its candidates',
      });
    });
  };

  /** Ranges of examples whose texts fit into one run. */
  const chunksOf = (examples: readonly Example[]): readonly (readonly [number, number])[] => {
    if (isShared) return [[0, examples.length]];
    const chunks: (readonly [number, number])[] = [];
    let [start, rows] = [0, 0];
    examples.forEach((example, index) => {
      const count = task.textsOf(example).length;
      if (index > start && rows + count > chunkRows) {
        chunks.push([start, index - start]);
        [start, rows] = [index, 0];
      }
      rows += count;
    });
    return [...chunks, [start, examples.length - start]];
  };

  const stepImages = async (
    examples: readonly Example[],
    plan: PromptPlan,
  ): Promise<StepImages> => {
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
    description: {
      name: parts.name,
      family: parts.config.name,
      revision: fingerprint(...new Set([text.file, vision.file])),
      dtype: dtypeOf(options),
      parameters: countParameters(text.graph) + countParameters(vision.graph),
      maximumTokens: inText ? text.maximumTokens : vision.patches.special + vision.content + reserve,
      layers,
    },
    width,
    classes,
    initialHead(seed) {
      const rows = (count: number, offset: number): Float32Array => visualPromptRows(count, offset, vision);
      const made = inVision ? initialSource(source, layers, seed, rows) : new Map();
      const scale = { shape: [1], values: Float32Array.of(logitScale.scale) };
      return new Map([
        ...task.initialHead(seed),
        ...made,
        ...(trainsScale ? [[SCORE_INPUT.scale, scale] as const] : []),
      ]);
    },
    promptRows: (count, offset) =>
      inText
        ? encoder.tokenRows(parts.startIds(count, offset))
        : Promise.resolve(visualPromptRows(count, offset, vision)),
    features: (examples) => embed.features(examples).then((rows) => widened(rows, embed.featureWidth, width)),
    pooled: (examples) => embed.features(examples).then((rows) => widened(rows, embed.featureWidth, width)),
    async predict(examples, plan, values) {
      check(plan, examples.length);
      const logits = new Float32Array(examples.length * classes);
      for (const [start, count] of chunksOf(examples)) {
        const part = examples.slice(start, start + count);
        const rows = plan && planPart(plan, start, count);
        const images = task.reads.images ? await embed.images(part, rows, values) : undefined;
        const texts = task.reads.texts ? await embed.texts(part, rows) : undefined;
        const counts = part.map((example) => task.textsOf(example).length);
        const isBare = task.sharedEmbeddings !== undefined && (!plan || !inText);
        const scored = isBare ? ({ ...head, scoring: 'shared' } as const) : head;
        logits.set(scoreRows(scored, values, { images, texts, counts }), start * classes);
      }
      return logits;
    },
    async differentiate(batch, plan, values, request) {
      checkOwnLabels(batch);
      check(plan, batch.examples.length);
      const sum = new StepSum(plan.batch, classes, plan, request);
      for (const [start, count] of chunksOf(batch.examples)) {
        const examples = batch.examples.slice(start, start + count);
        const rows = planPart(plan, start, count);
        const counts = examples.map((example) => task.textsOf(example).length);
        // Where classes are embedded once for all images, each meets another row of the plan.
        const owners = isShared
          ? task.shared.map((_, index) => index % count)
          : counts.flatMap((texts, example) => new Array<number>(texts).fill(example));
        const answer = await encoder.differentiate({
          texts: await stepTexts(examples, rows, owners),
          images: await stepImages(examples, rows),
          head,
          headValues: values,
          feeds: {
            labels: int64(batch.labels.subarray(start, start + count), [count]),
            ...(scoring === 'own' ? ownFeeds(counts, classes) : {}),
          },
          request,
        });
        const gradient = joinGradients(answer.text, owners, answer.vision, count);
        sum.place(start, count, { ...answer.step, plan: gradient });
      }
      return sum.step();
    },
    async prepare(examples) {
      const wanted = examples.map((example) => task.imageOf(example));
      const unknown = wanted.filter(
        (image) => inVision || isAugmented(image, options) || !encoder.images.has(image),
      );
      if (task.reads.images && !task.standInOf) await encoder.whileOpen(() => encoder.parts.pixels.prepare(unknown));
    },
    lengthOf: (example) =>
      isShared
        ? vision.patches.special + vision.content
        : Math.max(0, ...task.textsOf(example).map(({ ids }) => ids.length)),
    identify: (example) =>
      JSON.stringify([contentHash(task.imageOf(example)), task.identify(example), parts.making, width]),
    release: () => encoder.release(),
  };
}

/** Rows of another width; see `projection`. */
function widened(rows: Float32Array, from: number, to: number): Float32Array {
  const matrix = projection(from, to);
  return matrix ? products(rows, matrix, from) : rows;
}

function dtypeOf({ dtype = 'fp32', compute }: DualEncoder['parts']['options']): string {
  if (compute !== 'int8') return dtype;
  return dtype === 'fp32' ? 'int8' : `${dtype}, products in int8`;
}
