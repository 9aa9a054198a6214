export type { PlanGradient, PositionChoice, PositionMode, PromptPlan } from './contracts/plan.js';
export { sizeOf } from './contracts/tensor.js';
export type { GradientSet, ParameterSet, ParameterTensor } from './contracts/tensor.js';
export type {
  BackboneDescription,
  BackboneStep,
  FrozenBackbone,
  GradientRequest,
  LabelledBatch,
} from './contracts/backbone.js';
export { ConfigurationError, DataError, DynaPromptError, ModelError, nullThrows } from './errors.js';
export type { ErrorDetails } from './errors.js';
