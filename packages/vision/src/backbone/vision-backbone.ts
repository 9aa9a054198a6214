import {
  checkPlan,
  fingerprint,
  frozenBackbone,
  readPromptedModel,
  SessionCache,
} from '@dynaprompt/backbone';
import { stream, type FrozenBackbone } from '@dynaprompt/core';
import { floatsOf, lowerToInt8, openSession, type Session } from '@dynaprompt/onnx-autodiff';
import type { VisionConfig } from '../folder/vision-config.js';
import { denormalised } from '../images/denormalise.js';
import type { Preprocessor } from '../images/preprocessor.js';
import { assembleBatch } from './batch.js';
import { contentHash, type VisionExample } from './example.js';
import { appendFeatures, headGraph } from './head-graph.js';
import { initialHead, type Head } from './head.js';
import { FEATURES, INPUT } from './names.js';
import type { VisionBackboneOptions } from './options.js';
import { openPixels } from './pixels.js';
import { visionPlacement } from './placement.js';
import { specialNames, type SeenPicture } from './seen-picture.js';
import type { VisionModel } from './vision-model.js';

/** Everything that a frozen vision model is made of. */
export interface VisionBackboneParts {
  readonly name: string;
  readonly commit: string | undefined;
  readonly config: VisionConfig;
  readonly preprocessor: Preprocessor;
  readonly head: Head;
  readonly model: VisionModel;
  readonly options: VisionBackboneOptions;
}

/** An open vision model. */
export interface VisionBackbone extends FrozenBackbone<VisionExample> {
  /**
   * What the model reads of a picture without a prompt, to be shown to people.
   * @throws DataError naming the picture if it cannot be used.
   */
  look(example: VisionExample): Promise<SeenPicture>;
}

/**
 * A vision model with its head as a frozen backbone.
 * @throws ModelError if the model lacks what the head reads.
 */
export function visionBackbone(parts: VisionBackboneParts): VisionBackbone {
  const { name, commit, config, preprocessor, head, model, options } = parts;
  const { width, patches, content } = model;
  const total = patches.special + content;
  const { output, ...processing } = preprocessor.config;
  const layer = headGraph(model, head, output);
  const pixels = openPixels(preprocessor, options);
  const own = new SessionCache(name);
  const { skipped: unpooled, open: openFeatures } = featureSession(model, head, options);
  const pooling = head.kind === 'linear' ? head.pooling : head.kind;
  const { alpha = 'drop', fullDecodePixels = '' } = options.decode ?? {};
  const making = JSON.stringify([
    processing,
    output,
    options.resizer ?? 'pillow',
    alpha,
    fullDecodePixels,
    pooling,
  ]);

  const backbone = frozenBackbone<VisionExample>({
    description: {
      name,
      family: config.name,
      revision: fingerprint(model.file),
      ...(commit === undefined ? {} : { commit }),
      maximumTokens: total + options.reserve,
    },
    model: readPromptedModel({
      ...model,
      embeddings: patches.tensor,
      head: layer,
      placement: visionPlacement(model),
    }),
    classes: head.classes,
    maximumSlots: options.reserve,
    options,
    initialHead: (seed) => initialHead(head, width, seed),
    async arrange(examples, plan, purpose) {
      const gating = purpose === 'training' ? 'soft' : 'hard';
      const batch = assembleBatch(examples.length, plan, model, { gating, skipped: layer.skipped });
      const values = await own.whileOpen(() => pixels.of(examples, purpose === 'pooled'));
      return { ...batch, feeds: { ...batch.feeds, [INPUT.pixels]: values } };
    },
    promptRows: (count, offset) => Promise.resolve(promptRows(count, offset, model)),
    lengthOf: () => total,
    identify: (example) => `${contentHash(example)} ${making}`,
  });

  return {
    ...backbone,
    async features(examples) {
      checkPlan(undefined, examples.length, { width, layers: model.layers.length, reserve: options.reserve });
      const session = await own.get(FEATURES, openFeatures);
      const { feeds } = assembleBatch(examples.length, undefined, model, {
        gating: 'hard',
        skipped: unpooled,
      });
      const given = { ...feeds, [INPUT.pixels]: await pixels.of(examples, true) };
      const known = Object.entries(given).filter(([input]) => session.inputs.has(input));
      return floatsOf((await session.run(Object.fromEntries(known)))[FEATURES]);
    },
    async look(example) {
      const values = await own.whileOpen(() => pixels.of([example], true));
      const { rows, columns } = model;
      return {
        special: specialNames(model),
        rows,
        columns,
        picture: denormalised(floatsOf(values), preprocessor.config),
      };
    },
    async prepare(examples) {
      await own.whileOpen(() => pixels.prepare(examples));
    },
    async release() {
      await own.release();
      await pixels.close();
      await backbone.release();
    },
  };
}

/** The model without prompts and head. */
function featureSession(
  model: VisionModel,
  head: Head,
  { compute, threads, executionProviders, providerFallback, isolated, warn }: VisionBackboneOptions,
): { readonly skipped: number | undefined; readonly open: () => Promise<Session> } {
  const graph = model.graph.clone();
  const skipped = appendFeatures(graph, model, head);
  const given = { threads, executionProviders, providerFallback, isolated, warn };
  return {
    skipped,
    open() {
      if (compute === 'int8') lowerToInt8(graph);
      return openSession(
        graph,
        Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      );
    },
  };
}

/**
 * Rows to start prompts from, uniform in ±√(6 / (3 p² + d)) for patches of p × p pixels (Jia et al. 2022, Visual Prompt Tuning). A
 * row depends on its number alone.
 */
export function promptRows(count: number, offset: number, { width, patchSize }: VisionModel): Float32Array {
  const radius = Math.sqrt(6 / (3 * patchSize ** 2 + width));
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const random = stream(0, `visual prompt row ${offset + row}`);
    for (let column = 0; column < width; column++)
      rows[row * width + column] = radius * (2 * random.uniform() - 1);
  }
  return rows;
}
