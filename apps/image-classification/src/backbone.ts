import { defaultDataSeed, placeOf } from '@dynaprompt/runner';
import { type Dtype, type HeadOptions, openVisionBackbone, type VisionBackbone } from '@dynaprompt/vision';

import { type AugmentationName, augmentations } from './augmentation.js';
import { bundled } from './bundled.js';

/** How a backbone is opened. */
export interface OpenOptions {
  readonly head: HeadOptions;
  /** Prompt slots to leave room for. */
  readonly slots: number;
  /** What examples that were drawn look like; default: nothing is drawn. */
  readonly augment?: AugmentationName;
  /** Threads within an operator; default: as many as there are cores. */
  readonly threads?: number;
  /** Arithmetic of large products; default: float32. */
  readonly compute?: 'float32' | 'int8';
  /** Element type of the weights, which says what file is opened; default: fp32. */
  readonly dtype?: Dtype | undefined;
}

/** Opens a folder in the Hugging Face layout, a bundled model by its name, or a hub id. */
export function openBackbone(
  location: string,
  { head, slots, augment = 'none', threads, compute, dtype }: OpenOptions,
): Promise<VisionBackbone> {
  const augmentation = augmentations[augment];
  return openVisionBackbone(placeOf(location, bundled), {
    head,
    reserve: slots,
    ...(augmentation === undefined ? {} : { augmentation: { ...augmentation, seed: defaultDataSeed } }),
    ...(threads === undefined ? {} : { threads }),
    ...(compute === undefined ? {} : { compute }),
    ...(dtype === undefined ? {} : { dtype }),
  });
}
