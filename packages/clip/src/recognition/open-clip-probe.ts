import type { FrozenBackbone } from '@dynaprompt/core';
import type { VisionExample } from '@dynaprompt/vision';
import { openDual } from '../dual/open-dual.js';
import { clipBackbone, type ClipOptions } from './open-clip.js';
import { checkClassNames } from './class-texts.js';
import { probeOf } from './probe.js';

/** How a dual encoder is opened for a linear probe. */
export type ClipProbeOptions = Omit<
  ClipOptions,
  'prompts' | 'coupling' | 'layers' | 'visionSlots' | 'reserve' | 'conditioned' | 'promptTemplate' | 'trainLogitScale'
>;

/**
 * Opens a dual encoder with a linear layer on its image embeddings [B, D], of length 1: the baseline `linear-probe`.
 * @throws as `openClip` does.
 */
export async function openClipProbe(
  location: string,
  options: ClipProbeOptions,
): Promise<FrozenBackbone<VisionExample>> {
  checkClassNames(options.classNames);
  const all = { ...options, reserve: 0 };
  const opened = await openDual(location, all);
  const { encoder } = opened;
  return probeOf({
    backbone: clipBackbone(opened, all),
    width: encoder.parts.width,
    rows: (examples) =>
      encoder.images.read(examples.map(({ id, image, pixelValues }) => ({ id, image, ...(pixelValues && { pixelValues }) }))),
    kind: 'image embedding',
  });
}
