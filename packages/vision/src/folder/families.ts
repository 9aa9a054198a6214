/** What a linear head reads; see `LinearHeadOptions`. */
export type Pooling = 'cls' | 'mean' | 'pooled';

/** What is particular about a family of vision transformers. */
export interface Family {
  /** What a linear head reads unless it is told. */
  readonly pooling: Pooling;
  /** Image processor to assume where preprocessor_config.json names none. */
  readonly processor: string;
  /** ONNX files to look for, in this order; default onnx/model.onnx. */
  readonly files: readonly string[];
}

const whole: readonly string[] = ['onnx/model.onnx'];
const tower: readonly string[] = ['onnx/vision_model.onnx', 'onnx/model.onnx'];
const vit: Family = { pooling: 'cls', processor: 'ViT', files: whole };
const dinov2: Family = { pooling: 'cls', processor: 'Bit', files: whole };
const clip: Family = { pooling: 'pooled', processor: 'CLIP', files: tower };
const siglip: Family = { pooling: 'pooled', processor: 'Siglip', files: tower };

/** Families by `model_type` whose exports the adapter has been checked with. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  vit,
  deit: { ...vit, processor: 'DeiT' },
  beit: { pooling: 'pooled', processor: 'Beit', files: whole },
  dinov2,
  dinov2_with_registers: dinov2,
  clip,
  clip_vision_model: clip,
  siglip,
  siglip_vision_model: siglip,
};

/** `model_type`s that {@link openVisionBackbone} takes. */
export const VISION_FAMILIES: readonly string[] = Object.keys(FAMILIES);

/** Families that attend within windows, so that no place is seen by all patches. */
export const WINDOWED: ReadonlySet<string> = new Set(['swin', 'swinv2', 'swin2sr', 'donut-swin', 'maxvit']);
