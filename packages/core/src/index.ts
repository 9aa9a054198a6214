export type {
  DeepPrompts,
  PlanGradient,
  PositionChoice,
  PositionMode,
  PromptPlan,
} from './contracts/plan.js';
export type { ImageExample, ImageSource } from './contracts/image.js';
export { sizeOf } from './contracts/tensor.js';
export type { GradientSet, ParameterSet, ParameterTensor } from './contracts/tensor.js';
export type {
  BackboneDescription,
  BackboneStep,
  FineTuning,
  FineTuningStep,
  FrozenBackbone,
  GradientRequest,
  LabelledBatch,
} from './contracts/backbone.js';
export { ConfigurationError, DataError, DynaPromptError, ModelError, nullThrows } from './errors.js';
export type { ErrorDetails } from './errors.js';
export { restoreParameters } from './parameters.js';
export { restoreStream, stream } from './random/stream.js';
export type { RandomStream, RandomStreamState } from './random/stream.js';
export { candidatesOf, fixedCandidateOf, parseConfiguration } from './configuration.js';
export type {
  AdaptationLevel,
  InitialisationOptions,
  LengthOptions,
  PositionOptions,
  PromptConfiguration,
  PromptConfigurationInput,
  ReparameterisationOptions,
  RepresentationOptions,
} from './configuration.js';
export { preset, presetNames } from './presets.js';
export type { PresetName } from './presets.js';
export { temperatureAt } from './temperature.js';
export type { TemperatureOptions } from './temperature.js';
export { anchorOffset, PADDING, rowSlots, sourceTables, writeSourceTable } from './assembly/source-table.js';
export type { AssemblyShape, ExampleLayout } from './assembly/source-table.js';
export { positionGradient } from './assembly/position-gradient.js';
export type { PositionScores } from './assembly/position-gradient.js';
export { selectBackend } from './backend/select-backend.js';
export type { BackendOptions, BackendPackage, SelectedBackend } from './backend/select-backend.js';
export { collapse, createDynamicPrompt } from './dynamic-prompt/dynamic-prompt.js';
export type {
  DynamicPrompt,
  DynamicPromptSource,
  EvaluationPlanOptions,
  PlanChoices,
  PlannedBatch,
  PlanOptions,
  TrainingPlanOptions,
} from './dynamic-prompt/dynamic-prompt.js';
export { featureScale, featureStatistics } from './dynamic-prompt/feature-statistics.js';
export type { FeatureStatistics } from './dynamic-prompt/feature-statistics.js';
export { clipGateGradient } from './dynamic-prompt/gate-gradient.js';
export { createPoolUsage } from './dynamic-prompt/pool-usage.js';
export type { PoolUsage, PoolUsageReport } from './dynamic-prompt/pool-usage.js';
export type { PromptSource } from './dynamic-prompt/initial-parameters.js';
export { createAdafactor } from './optimisers/adafactor.js';
export type { AdafactorOptions } from './optimisers/adafactor.js';
export { createAdamW } from './optimisers/adamw.js';
export type { AdamWOptions } from './optimisers/adamw.js';
export type { ClippingOptions } from './optimisers/clipping.js';
export type { Optimiser, OptimiserState, OptimiserStep } from './optimisers/optimiser.js';
export type { OptimiserOptions, ParameterGroup } from './optimisers/options.js';
export { createSgd } from './optimisers/sgd.js';
export type { SgdOptions } from './optimisers/sgd.js';
export { createSchedule } from './optimisers/schedule.js';
export type { Schedule, ScheduleOptions } from './optimisers/schedule.js';
export { onStage, timed } from './stages/stages.js';
export type { Stage, StageTime } from './stages/stages.js';
export { decodeSafetensors, encodeSafetensors } from './safetensors/safetensors.js';
export type { Safetensors, SafetensorsTensor } from './safetensors/safetensors.js';
