export { NonFiniteLossError, TrainingStoppedError } from './errors.js';
export type {
  EvaluatedEvent,
  FeaturesEvent,
  FinishedEvent,
  NoticeEvent,
  StartedEvent,
  StepEvent,
  TrainingEvent,
  TrainingListener,
} from './events.js';
export { defaultCacheFolder, FeatureCache } from './features/features.js';
export type {
  FeatureCacheOptions,
  FeatureKind,
  FeatureProgress,
  PrepareOptions,
} from './features/features.js';
export type { Evaluation } from './training/evaluate.js';
export type { CurvePoint } from './training/loop.js';
export { methodNamed, methodNames } from './training/method.js';
export type { TrainingMethod } from './training/method.js';
export { defaultLearningRates } from './training/options.js';
export type {
  LearningRates,
  ScoreFunction,
  TrainingExample,
  TrainingOptions,
  TrainingSettings,
} from './training/options.js';
export { trainPrompt } from './training/train-prompt.js';
export type { TrainingResult, TunedParameters } from './training/train-prompt.js';
