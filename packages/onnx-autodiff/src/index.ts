export { activeTensors } from './activity.js';
export type { ConstantInput } from './canonicalise/branches.js';
export { fuse, normalise, type FusionCounts } from './canonicalise/index.js';
export { fuseLayerNormalization } from './canonicalise/normalization.js';
export {
  appendLossGradient,
  differentiate,
  prepareGraph,
  type ArithmeticOptions,
  type DifferentiateOptions,
  type GradientResult,
  type GradientSession,
  type LossGradient,
  type LossGradientRequest,
  type Objective,
} from './differentiate.js';
export { decomposedOperators, type DecomposedOperator } from './decompose/index.js';
export {
  InvalidInputError,
  MalformedModelError,
  OnnxAutodiffError,
  ProviderUnavailableError,
  RuntimeMissingError,
  RuntimeFailureError,
  StructureNotFoundError,
  UnsupportedOperatorError,
  type OnnxAutodiffErrorDetails,
} from './errors.js';
export { Emitter, type AttributeValue } from './graph/emitter.js';
export type { ProbedExtents, StaticShape } from './session/probe.js';
export type { ProbedShapes } from './session/probed-shapes.js';
export { Graph } from './graph/graph.js';
export { tensorBytes, tensorValues } from './graph/tensor-data.js';
export {
  DataType,
  type Attribute,
  type Dimension,
  type GraphProto,
  type ModelProto,
  type Node,
  type Tensor,
  type TensorData,
  type ValueInfo,
} from './graph/types.js';
export { lowerToInt8, type Int8Options } from './lower/int8.js';
export { IGNORED_LABEL } from './loss.js';
export { differentiableOperators, type DifferentiableOperator } from './rules/index.js';
export {
  availableExecutionProviders,
  EXECUTION_PROVIDERS,
  type ExecutionProvider,
  type ProviderOptions,
  type ProviderStatus,
} from './session/execution-providers.js';
export type { IsolationOptions } from './session/isolated-session.js';
export type { ProbeInputs } from './session/probe.js';
export { openSession, type Session, type SessionOptions } from './session/session.js';
export { openSharedSessions } from './session/shared-sessions.js';
export { float32, floatsOf, int64, type ElementType, type TensorValue } from './session/tensor-value.js';
export { addKeyBias } from './surgery/attention.js';
export { attentionTo, type Attention } from './surgery/attention-pattern.js';
export {
  gatherDeepPromptGradient,
  injectDeepPrompts,
  type DeepPromptInjection,
} from './surgery/deep-prompts.js';
export { findLayers } from './surgery/layers.js';
export { weightPooledRows, type PooledRows } from './surgery/pooled-rows.js';
export { widenPositionBiases } from './surgery/position-bias.js';
export {
  findTokenEmbedding,
  gatherPromptGradient,
  injectPrompts,
  type PromptInjection,
  type TokenEmbedding,
} from './surgery/prompts.js';
export {
  addSlotPositions,
  appendPositionScores,
  type PositionScoreTensors,
  type SlotPositions,
} from './surgery/slot-positions.js';
export { findLastHiddenState, findPatchEmbedding, type PatchEmbedding } from './surgery/structure.js';
export { feedWeights, findWeights, tieWeights } from './surgery/weights.js';
