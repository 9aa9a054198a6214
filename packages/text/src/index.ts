export { createTextEncoder, type TextEncoderOptions } from './encoder/text-encoder.js';
export type { HeadOptions, LinearHeadOptions, VerbalizerHeadOptions } from './encoder/head.js';
export {
  exportTunedEncoder,
  type ExportedEncoder,
  type ExportOptions,
  type TunedEncoder,
} from './export/export-encoder.js';
export type { WeightPlacement } from '@dynaprompt/onnx-export';
export type { HubOptions } from './folder/hub.js';
export { ENCODER_FAMILIES } from './folder/model-config.js';
export type { TextExample } from './tokenization/encode.js';
