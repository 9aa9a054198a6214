export type {
  DeepPrompts,
  PlanGradient,
  PositionChoice,
  PositionMode,
  PromptPlan,
} from './contracts/plan.js';
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
export { createDynamicPrompt } from './dynamic-prompt/dynamic-prompt.js';
export type {
  DynamicPrompt,
  DynamicPromptSource,
  PlanChoices,
  PlannedBatch,
  PlanOptions,
} from './dynamic-prompt/dynamic-prompt.js';
export { featureStatistics } from './dynamic-prompt/feature-statistics.js';
export type { FeatureStatistics } from './dynamic-prompt/feature-statistics.js';
export type { PromptSource } from './dynamic-prompt/initial-parameters.js';
export { createAdamW } from './optimisers/adamw.js';
export type { AdamWOptions, ParameterGroup } from './optimisers/adamw.js';
export type { Optimiser, OptimiserState, OptimiserStep } from './optimisers/optimiser.js';
export { createSchedule } from './optimisers/schedule.js';
export type { Schedule, ScheduleOptions } from './optimisers/schedule.js';
