export { openTextBackbone } from './open-text-backbone.js';
export type { TextBackboneOptions } from './backbone/adapter.js';
export { createTextEncoder, type TextEncoderOptions } from './encoder/text-encoder.js';
export type {
  ChoicesHeadOptions,
  HeadOptions,
  LinearHeadOptions,
  VerbalizerHeadOptions,
} from './backbone/head.js';
export {
  exportTunedEncoder,
  type ExportedEncoder,
  type ExportOptions,
  type TunedEncoder,
} from './export/export-encoder.js';
export type { WeightPlacement } from '@dynaprompt/onnx-export';
export type { HubOptions } from '@dynaprompt/backbone';
export { DECODER_FAMILIES, ENCODER_FAMILIES, SEQ2SEQ_FAMILIES } from './folder/families.js';
export type { TextExample } from './tokenization/encode.js';
export { openExampleTokens, type ExampleTokens } from './tokenization/example-tokens.js';
