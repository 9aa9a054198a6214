import { type ClipBackbone, openClip, openClipProbe } from '@dynaprompt/clip';
import { type FrozenBackbone, parseConfiguration, type PromptConfiguration } from '@dynaprompt/core';
import { defaultDataSeed, placeOf } from '@dynaprompt/runner';
import { FeatureCache, methodNamed, type TrainingMethod } from '@dynaprompt/training';
import type { VisionExample } from '@dynaprompt/vision';

import { augmentations } from '../augmentation.js';
import type { OpenOptions } from '../backbone.js';
import { bundled } from '../bundled.js';
import { type ClipChoice, towersFor, wordingsOf } from './choice.js';
import { classWords } from './class-words.js';

/** How a dual encoder is opened; rooms for prompts follow from their configuration. */
export interface TowerOptions extends Omit<OpenOptions, 'head' | 'slots'> {
  readonly choice: ClipChoice;
  /** In label order. */
  readonly classes: readonly string[];
}

/** A dual encoder for one list of classes, opened once in each way that methods need; everything is released together. */
export class ClipTowers {
  private readonly opened = new Map<string, Promise<FrozenBackbone<VisionExample>>>();

  constructor(
    private readonly location: string,
    private readonly options: TowerOptions,
  ) {}

  /** For prompts of this configuration. @throws what `openClip` throws. */
  prompted(configuration: PromptConfiguration): Promise<ClipBackbone> {
    const { choice } = this.options;
    const towers = towersFor(choice.prompts, configuration);
    return this.once(JSON.stringify(towers), () => openClip(this.place, { ...this.named, ...towers }));
  }

  /** For answers in hand-written words, without anything that is trained. */
  zeroShot(): Promise<ClipBackbone> {
    return this.once('zero-shot', () => openClip(this.place, { ...this.named, reserve: 0 }));
  }

  /** With a linear layer on the embeddings of images. */
  probe(): Promise<FrozenBackbone<VisionExample>> {
    return this.once('probe', () => openClipProbe(this.place, this.shared));
  }

  /** What a method is trained on. */
  forMethod(method: TrainingMethod): Promise<FrozenBackbone<VisionExample>> {
    const named = typeof method === 'object' ? method : methodNamed(method);
    if (typeof named === 'object') return this.prompted(parseConfiguration(named.configuration));
    return named === 'linear-probe' ? this.probe() : this.zeroShot();
  }

  async release(): Promise<void> {
    for (const backbone of this.opened.values()) await (await backbone).release();
    this.opened.clear();
  }

  private get place(): string {
    return placeOf(this.location, bundled);
  }

  /** Of what compares pictures with names. */
  private get named() {
    return {
      ...this.shared,
      template: wordingsOf(this.options.choice),
      imageCache: (images: FrozenBackbone<VisionExample>) => new FeatureCache(images),
    };
  }

  /** Of every way to open it. */
  private get shared() {
    const { classes, augment = 'none', threads, compute, dtype } = this.options;
    const augmentation = augmentations[augment];
    return {
      classNames: classWords(classes),
      ...(augmentation && { augmentation: { ...augmentation, seed: defaultDataSeed } }),
      ...(threads !== undefined && { threads }),
      ...(compute !== undefined && { compute }),
      ...(dtype !== undefined && { dtype }),
    };
  }

  /** What cannot be opened is forgotten, and nothing of it is left to release. */
  private once<Backbone extends FrozenBackbone<VisionExample>>(
    key: string,
    open: () => Promise<Backbone>,
  ): Promise<Backbone> {
    const known = this.opened.get(key);
    if (known !== undefined) return known as Promise<Backbone>;
    const opening = open();
    this.opened.set(key, opening);
    opening.catch(() => this.opened.delete(key));
    return opening;
  }
}
