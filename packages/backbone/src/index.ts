export {
  openBackboneFolder,
  type BackboneFolder,
  type CompanionFiles,
  type FolderOptions,
} from './folder/backbone-folder.js';
export { openDataFolder } from './folder/data-folder.js';
export { DTYPES, fileOfDtype, type Dtype } from './folder/dtype.js';
export { fingerprint } from './folder/fingerprint.js';
export type { HubOptions } from './folder/hub.js';
export { readConfigFile, type JsonSchema } from './folder/config-file.js';
export { frozenBackbone, type BackboneOptions, type BackboneParts, type Purpose } from './frozen-backbone.js';
export { feedsOf, gradientsOf } from './fine-tuning.js';
export { joinGraphs, isOfSecond, nameOfSecond } from './graph/join-graphs.js';
export { appendCandidateHead, candidateFeeds, IMPOSSIBLE } from './graph/candidate-head.js';
export { appendLinearHead, floatInput, initialLinearHead, LINEAR_HEAD_TENSORS } from './graph/linear-head.js';
export { appendNumberHead, initialNumberHead, NUMBER_OBJECTIVE } from './graph/number-head.js';
export { gradientOutput, OUTPUT, PROMPT_INPUT } from './graph/names.js';
export { declareOutputs, probeFloats } from './graph/outputs.js';
export {
  readPromptedModel,
  type ComputeOptions,
  type GraphOptions,
  type HeadGraph,
  type PromptableModel,
  type PromptedModel,
  type PromptEntry,
  type PromptPlacement,
  type PromptVariant,
  type TrainingVariant,
} from './graph/prompted-model.js';
export type { TrainableModel } from './graph/trainable-model.js';
export { countParameters } from './graph/stored-weights.js';
export {
  inspectModel,
  type AdapterFamilies,
  type InspectedValue,
  type ModelInspection,
} from './inspection/inspect-model.js';
export type { Architecture } from './inspection/architecture.js';
export { findPromptPlaces, type PromptPlaces } from './inspection/places.js';
export type { MissingGradient } from './inspection/missing-gradients.js';
export type { PromptEntryPlace } from './inspection/prompt-entry.js';
export type { WeightStorage } from './inspection/storage.js';
export { reasonOf } from './reason.js';
export {
  activeTokens,
  arrangeSequences,
  GATE_FLOOR,
  logGate,
  placeOf,
  promptFeeds,
  type Arrangement,
  type Gating,
  type PromptedBatch,
} from './sequence/arrangement.js';
export { checkLabels, checkPlan, type Answering } from './sequence/checks.js';
export { inTableOrder, placesOf, PLAIN, type Sides } from './sequence/placement.js';
export { repeatPlan, sumRepeated, sumRows, takeRows } from './sequence/repeat.js';
export { SessionCache } from './sessions/session-cache.js';
export { stepOf } from './step.js';
export type { DataFolder } from './folder/data-folder.js';
