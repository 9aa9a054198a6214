export { openTextBackbone } from './open-text-backbone.js';
export type { TextBackbone, TextBackboneOptions } from './backbone/adapter.js';
export { createTextEncoder, type TextEncoderOptions } from './encoder/text-encoder.js';
export type {
  CandidatesHeadOptions,
  ChoicesHeadOptions,
  HeadOptions,
  LinearHeadOptions,
  RegressionHeadOptions,
  VerbalizerHeadOptions,
  AnswerScore,
  Pooling,
} from './backbone/head.js';
export {
  exportTunedEncoder,
  type ExportedEncoder,
  type ExportOptions,
  type TunedEncoder,
} from './export/export-encoder.js';
export type { WeightPlacement } from '@dynaprompt/onnx-export';
export { DTYPES, openDataFolder, type Dtype, type HubOptions } from '@dynaprompt/backbone';
export { CONTENT_FREE, type CalibrationMethod, type CalibrationOptions } from './calibration/options.js';
export type { ChatMessage, ChatOptions } from './tokenization/chat.js';
export { DECODER_FAMILIES, ENCODER_FAMILIES, SEQ2SEQ_FAMILIES } from './folder/families.js';
export type { TextExample } from './tokenization/encode.js';
export { openExampleTokens, type ExampleTokens } from './tokenization/example-tokens.js';
export { loadTokenizer, TOKENIZER_FILES, type Frame, type Tokenizer } from './tokenization/tokenizer.js';
