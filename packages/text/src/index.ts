export { createTextEncoder, type TextEncoderOptions } from './encoder/text-encoder.js';
export type { HeadOptions, LinearHeadOptions, VerbalizerHeadOptions } from './encoder/head.js';
export type { HubOptions } from './folder/hub.js';
export { ENCODER_FAMILIES } from './folder/model-config.js';
export type { TextExample } from './tokenization/encode.js';
