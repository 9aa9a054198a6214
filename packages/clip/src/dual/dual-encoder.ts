import { feedsOf, SessionCache } from '@dynaprompt/backbone';
import type { ParameterSet, PromptPlan } from '@dynaprompt/core';
import { Emitter, floatsOf, int64, openSession } from '@dynaprompt/onnx-autodiff';
import type { VisionExample } from '@dynaprompt/vision';
import { promptImages, promptText } from '../graph/prompted-tower.js';
import { tensorsOf } from '../graph/vision-source.js';
import { EMBEDDING, PIXELS, TEXT_INPUT } from '../towers/names.js';
import type { TokenRow } from '../towers/text-batch.js';
import { arrangeImages, arrangeTexts, variantOf } from './arrange.js';
import type { DualParts } from './dual-parts.js';
import { differentiateTowers, type DualAnswer, type DualStep } from './dual-step.js';
import { createRowCache, identityOf, type RowCache } from './embedding-cache.js';
import { openTower } from './open-sessions.js';
import type { DualOptions } from './options.js';
import { unitRows } from './unit-rows.js';

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
    const imageKey = (example: VisionExample): unknown =>
      isAugmented(example, options) ? undefined : identityOf(example);
    this.images = createRowCache(bytes, width, imageKey, (example) => this.embedImages([example], undefined));
    const textKey = ({ ids }: TokenRow): string => ids.join();
    this.texts = createRowCache(bytes, width, textKey, (row) => this.embedTexts([row], undefined));
  }

  /** Embeddings of texts [R, D], of length 1. */
  async embedTexts(rows: readonly TokenRow[], plan: PromptPlan | undefined): Promise<Float32Array> {
    const { parts } = this;
    const batch = arrangeTexts(parts, rows, plan, 'hard');
    const variant = variantOf(batch, plan);
    const session = await this.#sessions.get(`text ${JSON.stringify(variant)}`, () =>
      openTower(parts, promptText(parts.text, variant)),
    );
    return unitRows(floatsOf((await session.run(batch.feeds))[EMBEDDING]), parts.width);
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
    const { parts } = this;
    const source = plan ? parts.source : ({ kind: 'plan' } as const);
    const batch = arrangeImages(parts, examples.length, plan, 'hard');
    const variant = variantOf(batch, plan);
    const session = await this.#sessions.get(`vision ${JSON.stringify([variant, source.kind])}`, () =>
      openTower(parts, promptImages(parts.vision, variant, source)),
    );
    const own = tensorsOf(source);
    const trained = new Map([...head].filter(([name]) => own.includes(name)));
    const values = await this.#sessions.whileOpen(() => parts.pixels.of(examples, false));
    const results = await session.run({ ...batch.feeds, ...feedsOf(trained), [PIXELS]: values });
    return unitRows(floatsOf(results[EMBEDDING]), parts.width);
  }

  /** Rows of the table of token embeddings, [ids, d]. */
  async tokenRows(ids: readonly number[]): Promise<Float32Array> {
    const { text } = this.parts;
    const session = await this.#sessions.get('embedding', () => {
      const graph = text.graph.clone();
      graph.outputs.clear();
      new Emitter(graph).output('embeddings', text.embeddings);
      for (const name of graph.inputs.keys()) if (name !== TEXT_INPUT.ids) graph.inputs.delete(name);
      graph.prune();
      return openSession(graph, { prepack: false });
    });
    return floatsOf((await session.run({ [TEXT_INPUT.ids]: int64(ids, [1, ids.length]) })).embeddings);
  }

  /** Loss, logits and gradients of towers with prompts, from one run. */
  differentiate(step: DualStep): Promise<DualAnswer> {
    return differentiateTowers(this.parts, this.#sessions, step);
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
}

/** Whether a step sees another picture than the example's own. */
export function isAugmented(example: VisionExample, { augmentation }: DualOptions): boolean {
  return augmentation !== undefined && example.draw !== undefined;
}
