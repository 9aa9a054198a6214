import type { BackboneDescription, FrozenBackbone } from '@dynaprompt/core';
import { contentHash, type VisionExample } from '@dynaprompt/vision';
import type { DualEncoder } from './dual-encoder.js';
import { embeddingBackbone } from './embedding-backbone.js';

/** The image tower by itself. */
export interface ImageTowerParts {
  readonly encoder: DualEncoder;
  readonly description: BackboneDescription;
  readonly classes: number;
  /** What makes embeddings what they are, besides the content of images. */
  readonly making: string;
}

/** The image tower without prompts, a linear layer on its embeddings [B, D] of length 1. */
export function imageTower({
  encoder,
  description,
  classes,
  making,
}: ImageTowerParts): FrozenBackbone<VisionExample> {
  const { vision, pixels, width } = encoder.parts;
  return embeddingBackbone({
    description,
    width,
    classes,
    rows: (examples) => encoder.images.read(examples.map(asItIs)),
    async prepare(examples) {
      const unknown = examples.map(asItIs).filter((image) => !encoder.images.has(image));
      await encoder.whileOpen(() => pixels.prepare(unknown));
    },
    lengthOf: () => vision.patches.special + vision.content,
    identify: (example) => JSON.stringify(['image embedding', contentHash(example), making]),
    release: () => encoder.release(),
  });
}

/** A picture without what a training step makes of it. */
export function asItIs({ id, image, pixelValues }: VisionExample): VisionExample {
  return { id, image, ...(pixelValues && { pixelValues }) };
}
