import { takeRows } from '@dynaprompt/backbone';
import type { ParameterSet, PromptPlan } from '@dynaprompt/core';
import type { VisionExample } from '@dynaprompt/vision';
import type { DualEncoder } from './dual-encoder.js';
import type { DualTask } from './dual-task.js';
import type { RowCache } from './embedding-cache.js';
import { asItIs } from './image-tower.js';
import { beside } from './plan-sides.js';
import { isAlike, isSamePrompt, planPart, refuseUnlike } from './plan-rows.js';

/** Embeds the two sides of a task's examples. */
export interface Embedder<Example> {
  /** Width of {@link Embedder.features}. */
  readonly featureWidth: number;
  /** [B, D] of length 1; those without a prompt are kept. */
  images(
    examples: readonly Example[],
    plan: PromptPlan | undefined,
    head: ParameterSet,
  ): Promise<Float32Array>;
  /** [R, D] of length 1: the shared texts, or the examples' own one behind the other. */
  texts(examples: readonly Example[], plan: PromptPlan | undefined): Promise<Float32Array>;
  /** [B, featureWidth] of the prompt-free towers: of the image, the text, or both side by side. */
  features(examples: readonly Example[]): Promise<Float32Array>;
}

/** Prompts whose class embeddings are kept. */
const KEPT_PROMPTS = 4;

/** An embedder of a task. */
export function embedder<Example>({
  encoder,
  task,
  images,
  inText,
  inVision,
}: {
  readonly encoder: DualEncoder;
  readonly task: DualTask<Example>;
  /** Embeddings of images without a prompt. */
  readonly images: RowCache<VisionExample>;
  readonly inText: boolean;
  readonly inVision: boolean;
}): Embedder<Example> {
  const { width } = encoder.parts;
  const { reads, scoring } = task;
  const readsImages = reads.images && task.standInOf === undefined;
  const classEmbeddings = createClassEmbeddings((plan) =>
    encoder.embedTexts(
      task.shared,
      takeRows(
        plan,
        task.shared.map(() => 0),
      ),
    ),
  );
  const ownTexts = (examples: readonly Example[]): Promise<Float32Array> =>
    encoder.texts.read(examples.flatMap((example) => task.textsOf(example)));
  const bareImages = (examples: readonly Example[]): Promise<Float32Array> => {
    const { standInOf } = task;
    if (standInOf) return encoder.texts.read(examples.map((example) => standInOf(example)));
    return images.read(examples.map((example) => task.imageOf(example)));
  };

  return {
    featureWidth: readsImages && task.featureTextOf ? 2 * width : width,
    images(examples, plan, head) {
      if (!plan || !inVision) return bareImages(examples);
      return encoder.embedImages(
        examples.map((example) => task.imageOf(example)),
        plan,
        head,
      );
    },
    async texts(examples, plan) {
      if (task.sharedEmbeddings && (!plan || !inText)) return task.sharedEmbeddings();
      if (scoring === 'shared' && plan) {
        if (!isAlike(plan)) throw refuseUnlike();
        return classEmbeddings(planPart(plan, 0, 1));
      }
      if (!plan || !inText) return ownTexts(examples);
      const rows = examples.map((example) => task.textsOf(example));
      const owners = rows.flatMap((texts, example) => texts.map(() => example));
      return encoder.embedTexts(rows.flat(), takeRows(plan, owners));
    },
    async features(examples) {
      const plain = examples.map((example) => asItIs(task.imageOf(example)));
      const { featureTextOf } = task;
      const ofImages = readsImages ? await images.read(plain) : undefined;
      const ofTexts = featureTextOf && (await encoder.texts.read(examples.map((one) => featureTextOf(one))));
      if (ofImages && ofTexts) return beside(ofImages, ofTexts, [width, width]);
      return ofImages ?? ofTexts ?? new Float32Array();
    },
  };
}

/** Embeddings of the classes, once for each prompt; the last few prompts' are kept. */
function createClassEmbeddings(
  compute: (plan: PromptPlan) => Promise<Float32Array>,
): (plan: PromptPlan) => Promise<Float32Array> {
  const kept: { readonly plan: PromptPlan; readonly embeddings: Float32Array }[] = [];
  return async (plan) => {
    const known = kept.find((one) => isSamePrompt(one.plan, plan));
    if (known) return known.embeddings;
    const copy = takeRows(plan, [0]); // an optimiser may write to what the plan shares
    const embeddings = await compute(copy);
    kept.unshift({ plan: copy, embeddings });
    kept.length = Math.min(kept.length, KEPT_PROMPTS);
    return embeddings;
  };
}
