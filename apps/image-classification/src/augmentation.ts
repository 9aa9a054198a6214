import type { AugmentationOptions } from '@dynaprompt/vision';

/** Ways to change training pictures at random. */
export const augmentationNames = ['none', 'crop-flip', 'colour'] as const;

export type AugmentationName = (typeof augmentationNames)[number];

/** torchvision's RandomResizedCrop and RandomHorizontalFlip, and ColorJitter(0.4, 0.4, 0.4) behind them; nothing for `none`. */
export const augmentations: Readonly<Record<AugmentationName, AugmentationOptions | undefined>> = {
  none: undefined,
  'crop-flip': { flip: 0.5 },
  colour: { flip: 0.5, brightness: 0.4, contrast: 0.4, saturation: 0.4 },
};
