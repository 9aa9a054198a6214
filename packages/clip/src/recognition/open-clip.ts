import type { FrozenBackbone } from '@dynaprompt/core';
import type { VisionExample } from '@dynaprompt/vision';
import { dualBackbone } from '../dual/dual-backbone.js';
import type { DualTask } from '../dual/dual-task.js';
import { openDual, type OpenedDual } from '../dual/open-dual.js';
import type { DualOptions } from '../dual/options.js';
import { unitRows } from '../dual/unit-rows.js';
import { type ReadText, readTexts } from '../towers/read-text.js';
import { checkClassNames, classTexts } from './class-texts.js';
import { startIds } from './start-ids.js';

/** Words that CLIP was published with (Radford et al. 2021, section 3.1.4). */
export const DEFAULT_TEMPLATE = 'a photo of a {class}';

/** How a dual encoder is opened for recognition. */
export interface ClipOptions extends DualOptions {
  /** Names of the classes in label order. */
  readonly classNames: readonly string[];
  /**
   * Hand-written words around a class name, for predictions without a prompt and for a text tower that has none; of several, the
   * mean of their embeddings counts. Default {@link DEFAULT_TEMPLATE}.
   */
  readonly template?: string | readonly string[];
  /**
   * Words that stay around a class name beside a prompt in the text tower; the prompt goes in front of the name, behind it, or into
   * it. Default `{class}`: the prompt takes the place of all words, as in CoOp.
   */
  readonly promptTemplate?: string;
  /**
   * Prompts in the text tower depend on the image (CoCoOp): each image has class embeddings of its own, so a step embeds B × K texts
   * in place of K. Default false: prompts have to be alike in all rows of a plan; a training step takes place and length of
   * some rows (see `draws`), predictions need them alike too.
   */
  readonly conditioned?: boolean;
}

/**
 * Opens CLIP, SigLIP or Chinese-CLIP for recognition with prompts in the text tower, the image tower or both, by the `model_type` of
 * config.json. Logits are exp(logit_scale) · cos(image, class), plus SigLIP's bias; the loss is the softmax cross-entropy over the
 * classes for all of them, as in CoOp. Prompts are differentiated inside onnxruntime, both towers in one run.
 *
 * @param location folder with config.json, the tokeniser's files, preprocessor_config.json and onnx/model.onnx (or
 * onnx/text_model.onnx and onnx/vision_model.onnx), or a hub id.
 * @returns a backbone whose features are [B, d], the image embedding (taken to the width of the prompts by a fixed random map where
 * that is another), and whose logits are [B, classes]; after `release` its methods reject.
 * @throws ModelError if a file is missing or belongs to another model, or the family is not supported.
 * @throws ConfigurationError if class names, templates or other options cannot be used.
 * @throws MalformedModelError (of onnx-autodiff) if an ONNX file is truncated, a git-lfs pointer or no model, and
 * StructureNotFoundError if it has nothing to put prompts between.
 */
export async function openClip(location: string, options: ClipOptions): Promise<ClipBackbone> {
  checkClassNames(options.classNames);
  return clipBackbone(await openDual(location, options), options);
}

/** A dual encoder that recognises classes. */
export interface ClipBackbone extends FrozenBackbone<VisionExample> {
  /** Texts of the classes as they are read in training, in label order: around a prompt, or in the first of the hand-written words. */
  readonly classTexts: readonly ReadText[];
}

/** Recognition with a dual encoder that was opened. */
export function clipBackbone(opened: OpenedDual, options: ClipOptions): ClipBackbone {
  const { encoder, config, logitScale, making, tokenizer, maximumTokens } = opened;
  const task = recognitionTask(opened, options);
  const [template = DEFAULT_TEMPLATE] = templatesOf(options);
  const backbone = dualBackbone({
    family: config.name,
    encoder,
    task,
    logitScale,
    startIds: startIds(tokenizer, template),
    making,
  });
  const rows =
    options.prompts === 'vision'
      ? classTexts(tokenizer, options.classNames, template, maximumTokens)
      : task.shared;
  return { ...backbone, classTexts: readTexts(tokenizer, rows) };
}

/** Hand-written words. */
export function templatesOf({
  template = DEFAULT_TEMPLATE,
}: Pick<ClipOptions, 'template'>): readonly string[] {
  return typeof template === 'string' ? [template] : template;
}

function recognitionTask(opened: OpenedDual, options: ClipOptions): DualTask<VisionExample> {
  const { tokenizer, maximumTokens } = opened;
  const { classNames, promptTemplate = '{class}', conditioned = false, prompts = 'text' } = options;
  const isOwn = conditioned && prompts !== 'vision';
  const shared = classTexts(tokenizer, classNames, promptTemplate, maximumTokens);
  const zeroShot = zeroShotEmbeddings(opened, classNames, templatesOf(options));
  return {
    classes: classNames.length,
    scoring: isOwn ? 'own' : 'shared',
    reads: { images: true, texts: true },
    shared,
    textsOf: () => shared,
    imageOf: (example) => example,
    sharedEmbeddings: zeroShot,
    initialHead: () => new Map(),
    identify: () => '',
  };
}

/** Embeddings [K, D] of the classes in hand-written words: of several wordings the mean, of length 1. Computed once. */
export function zeroShotEmbeddings(
  { tokenizer, encoder }: Pick<OpenedDual, 'tokenizer' | 'encoder'>,
  classNames: readonly string[],
  templates: readonly string[],
): () => Promise<Float32Array> {
  const { width, text } = encoder.parts;
  const rows = templates.map((template) => classTexts(tokenizer, classNames, template, text.maximumTokens));
  let known: Promise<Float32Array> | undefined;
  const compute = async (): Promise<Float32Array> => {
    const sum = new Float32Array(classNames.length * width);
    for (const texts of rows) {
      const embeddings = await encoder.embedTexts(texts, undefined);
      embeddings.forEach((value, index) => (sum[index] = (sum[index] ?? 0) + value));
    }
    return rows.length === 1 ? sum : unitRows(sum, width);
  };
  return () => {
    known ??= compute().catch((failure: unknown) => {
      known = undefined;
      throw failure;
    });
    return known;
  };
}
