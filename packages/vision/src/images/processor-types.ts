import type { ResampleCode } from './resample.js';

/** What an image processor class of Hugging Face transformers does where its config is silent. */
export interface ProcessorDefaults {
  /** A size given as one number means a square; otherwise the shorter edge. */
  readonly square: boolean;
  readonly size: { readonly height: number; readonly width: number } | { readonly shortest_edge: number };
  readonly resample: ResampleCode;
  /** Edge of the centre crop; absent where the class does not crop unless told to. */
  readonly crop?: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** ConvNeXt's rule: below 384 px resize to edge / crop_pct, then crop to edge; from 384 px on a plain square. */
  readonly cropFraction?: number;
}

const HALF = [0.5, 0.5, 0.5] as const;
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

const CLIP: ProcessorDefaults = {
  square: false,
  size: { shortest_edge: 224 },
  resample: 3,
  crop: 224,
  mean: CLIP_MEAN,
  std: CLIP_STD,
};
const CROPPED_SQUARE: ProcessorDefaults = {
  square: true,
  size: { height: 256, width: 256 },
  resample: 3,
  crop: 224,
  mean: HALF,
  std: HALF,
};
const PLAIN_SQUARE = { square: true, size: { height: 224, width: 224 }, mean: HALF, std: HALF } as const;

/** By class name without `ImageProcessor`, `ImageProcessorFast` or `FeatureExtractor`. */
export const PROCESSOR_TYPES: Readonly<Record<string, ProcessorDefaults>> = {
  CLIP,
  Bit: CLIP,
  Siglip: { ...PLAIN_SQUARE, resample: 3 },
  ViT: { ...PLAIN_SQUARE, resample: 2 },
  DeiT: CROPPED_SQUARE,
  Beit: CROPPED_SQUARE,
  ConvNext: {
    square: false,
    size: { shortest_edge: 384 },
    resample: 2,
    mean: HALF,
    std: HALF,
    cropFraction: 224 / 256,
  },
};

/** The row of {@link PROCESSOR_TYPES} that a class name stands for. */
export function processorFamily(className: string): string | undefined {
  const family = /^(\w+?)(?:ImageProcessor(?:Fast|Pil)?|FeatureExtractor)$/.exec(className)?.[1];
  return family !== undefined && Object.hasOwn(PROCESSOR_TYPES, family) ? family : undefined;
}
