export { openClip, DEFAULT_TEMPLATE, type ClipBackbone, type ClipOptions } from './recognition/open-clip.js';
export { openClipProbe, type ClipProbeOptions } from './recognition/open-clip-probe.js';
export { openVqa, openVqaProbe, type VqaBackbone, type VqaProbeOptions } from './vqa/open-vqa.js';
export type {
  AnswerCandidates,
  AnswerClassification,
  VqaExample,
  VqaOptions,
  VqaUse,
} from './vqa/vqa-options.js';
export { clipPreset, clipPresetNames, type ClipPreset, type ClipPresetName } from './presets.js';
export type { ReadText } from './towers/read-text.js';
export type { DualOptions, PromptedTowers } from './dual/options.js';
export type { KeptEmbeddings } from './dual/embedding-cache.js';
export { CLIP_FAMILIES } from './folder/clip-config.js';
export type { VisionExample } from '@dynaprompt/vision';
