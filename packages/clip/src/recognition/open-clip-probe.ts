import type { FrozenBackbone } from '@dynaprompt/core';
import type { VisionExample } from '@dynaprompt/vision';
import { describe } from '../dual/describe.js';
import { imageTower } from '../dual/image-tower.js';
import { openDual } from '../dual/open-dual.js';
import { checkClassNames } from './class-texts.js';
import type { ClipOptions } from './open-clip.js';

/** How a dual encoder is opened for a linear probe. */
export type ClipProbeOptions = Omit<
  ClipOptions,
  | 'prompts'
  | 'coupling'
  | 'layers'
  | 'reserve'
  | 'conditioned'
  | 'promptTemplate'
  | 'template'
  | 'trainLogitScale'
  | 'imageCache'
>;

/**
 * Opens a dual encoder with a linear layer on its image embeddings [B, D], of length 1: the baseline `linear-probe`.
 * @throws as `openClip` does.
 */
export async function openClipProbe(
  location: string,
  { classNames, ...options }: ClipProbeOptions,
): Promise<FrozenBackbone<VisionExample>> {
  checkClassNames(classNames);
  const { encoder, config, making } = await openDual(location, { ...options, reserve: 0 });
  const description = describe(encoder.parts, config.name);
  return imageTower({ encoder, description, classes: classNames.length, making });
}
