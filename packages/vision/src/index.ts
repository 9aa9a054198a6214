export { openVisionBackbone } from './open-vision-backbone.js';
export type { VisionBackbone } from './backbone/vision-backbone.js';
export type { SeenPicture } from './backbone/seen-picture.js';
export type { VisionBackboneOptions } from './backbone/options.js';
export type { HeadOptions, LinearHeadOptions, OwnHeadOptions } from './backbone/head.js';
export { drawn, type VisionExample } from './backbone/example.js';
export { VISION_FAMILIES, type Pooling } from './folder/families.js';
export { DTYPES, openDataFolder, type Dtype, type HubOptions } from '@dynaprompt/backbone';
export { decodeImage } from './images/decode.js';
export type { DecodeOptions } from './images/decode.js';
export { pictureProblem } from './images/picture-problem.js';
export { parsePreprocessorConfig, readPreprocessorConfig } from './images/preprocessor-config.js';
export type { PreprocessorConfig, Size } from './images/preprocessor-config.js';
export { createPreprocessor, parsePreprocessor, readPreprocessor } from './images/preprocessor.js';
export type { Preprocessor, PreprocessorOptions, Resizer } from './images/preprocessor.js';
export { resample } from './images/resample.js';
export type { Box, ResampleCode, RgbImage } from './images/resample.js';
export { thumbnail } from './images/thumbnail.js';
export { augment, checkAugmentation, drawAugmentation } from './images/augment.js';
export type { Augmentation, AugmentationDraw, AugmentationOptions } from './images/augment.js';
export type { ColourAdjustment } from './images/colour.js';
export { createPictureLoader } from './loading/picture-loader.js';
export type {
  LoadingReport,
  PictureBatch,
  PictureLoader,
  PictureLoaderOptions,
  SkippedPicture,
} from './loading/picture-loader.js';
export type { PictureRequest, PixelSourceOptions } from './loading/pixel-source.js';
export { assembleBatch, type BatchOptions } from './backbone/batch.js';
export { contentHash } from './backbone/example.js';
export { openPixels, type PixelOptions, type Pixels } from './backbone/pixels.js';
export { promptRows as visualPromptRows } from './backbone/vision-backbone.js';
export { readVisionModel, type VisionModel } from './backbone/vision-model.js';
export { createPixelCache } from './loading/pixel-cache.js';
export type { PixelCache } from './loading/pixel-cache.js';
export type { ResampleParts } from './images/resample.js';
