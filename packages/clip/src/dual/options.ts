import type { BackboneOptions, HubOptions } from '@dynaprompt/backbone';
import { ConfigurationError, type FrozenBackbone } from '@dynaprompt/core';
import type { PixelOptions, Resizer, VisionExample } from '@dynaprompt/vision';
import { PACKAGE_NAME } from '../package-name.js';
import type { KeptEmbeddings } from './embedding-cache.js';

/** Towers that prompts stand in. */
export type PromptedTowers = 'text' | 'vision' | 'both';

/** What dual encoders have in common when they are opened. */
export interface DualOptions extends HubOptions, BackboneOptions, PixelOptions {
  /** Which towers get prompts. Plans have the width of the tower, with both that of the text tower; see `coupling`. Default `text`. */
  readonly prompts?: PromptedTowers;
  /**
   * With prompts in both towers: `linear` makes those of the image tower from the plan's by a trained map for each layer (MaPLe),
   * tensors `coupling.weight` and `coupling.bias` of the head; `independent` gives both towers prompts of their own that share
   * nothing but place and length (IVLP): plans are d_text + d_vision wide, the text tower's columns first. Default `linear`.
   */
  readonly coupling?: 'linear' | 'independent';
  /** L, layers that receive prompts of their own, where prompts of both towers are coupled. Default 1. */
  readonly layers?: number;
  /** Most slots a plan may have. */
  readonly reserve: number;
  /** Trains the log of the factor of the cosines, tensor `logit_scale` of the head. Default false: it stays the model's. */
  readonly trainLogitScale?: boolean;
  /** log of that factor, for folders whose files hold one tower each. Default: that of the model's file, else ln 100. */
  readonly logitScale?: number;
  /** Whose resize is repeated; see @dynaprompt/vision. Default `pillow`. */
  readonly resizer?: Resizer;
  /**
   * Keeps embeddings of images between runs: `(images) => new FeatureCache(images)` of @dynaprompt/training does on disk. It is given
   * the image tower without prompts. Default: they are kept in memory alone.
   */
  readonly imageCache?: (images: FrozenBackbone<VisionExample>) => KeptEmbeddings;
  /** Bytes of embeddings that are kept in memory, of images and of texts each. Default 64 MiB. */
  readonly embeddingBytes?: number;
  /**
   * Most draws of place and length that a training step takes from a plan where classes are embedded once for all images; each draw
   * embeds the classes once more, and a share of the images meets it. Where they are not drawn, once is enough. Default 4.
   */
  readonly draws?: number;
  /** Most texts of one run where each image has texts of its own; an image's texts stay together. Default 256. */
  readonly chunkRows?: number;
}

/** @throws ConfigurationError for numbers that are none of slots, layers or rows, and options that contradict each other. */
export function checkOptions(options: DualOptions): void {
  const { prompts = 'text', coupling, layers, reserve, chunkRows, draws } = options;
  checkCount('prompt slots', reserve, 0);
  if (layers !== undefined) checkCount('layers', layers, 1);
  if (chunkRows !== undefined) checkCount('chunkRows', chunkRows, 1);
  if (draws !== undefined) checkCount('draws', draws, 1);
  if (prompts !== 'both' && coupling !== undefined)
    throw invalid(
      'coupling',
      `there is none of prompts in ${prompts}`,
      "Open the backbone with prompts 'both'",
    );
  const isCoupled = prompts === 'both' && coupling !== 'independent';
  if (!isCoupled && layers !== undefined)
    throw invalid('layers', 'only couplings have a number of layers', 'Leave it out: the plan says it');
}

function checkCount(subject: string, count: number, least: number): void {
  if (Number.isInteger(count) && count >= least) return;
  throw invalid(subject, `${count} is no such number`, `Give a whole number from ${least} on`);
}

/** An option that cannot be used. */
export function invalid(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName: PACKAGE_NAME, subject, problem, remedy });
}
