export { adapterOf, adapterOfTask } from './adapter/adapter.js';
export type {
  Adapter,
  AdapterBackbone,
  AdapterContext,
  AdapterHead,
  AdapterTask,
} from './adapter/adapter.js';
export { exportPeft } from './adapter/export-peft.js';
export type { PeftExport, PeftExportOptions } from './adapter/export-peft.js';
export { importPeft } from './adapter/import-peft.js';
export type { ImportedPrompt } from './adapter/import-peft.js';
export { loadAdapter } from './adapter/load-adapter.js';
export type { LoadOptions } from './adapter/load-adapter.js';
export { peftTaskTypes } from './adapter/peft-configuration.js';
export type { PeftPromptTuning, PeftTaskType } from './adapter/peft-configuration.js';
export { requireBackbone } from './adapter/require-backbone.js';
export type { AdapterHost, BackboneCheck } from './adapter/require-backbone.js';
export { restorePrompt } from './adapter/restore.js';
export { saveAdapter } from './adapter/save-adapter.js';
export type { SavedAdapter } from './adapter/save-adapter.js';
export { CheckpointMismatchError, CheckpointWriteError } from './checkpoint/errors.js';
export type { CheckpointOptions, Resume } from './checkpoint/options.js';
export { NonFiniteLossError, NonFinitePredictionError, TrainingStoppedError } from './errors.js';
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
export type { Augment, ShowingOfExample } from './data/showing.js';
export { defaultCacheFolder, FeatureCache } from './features/features.js';
export type {
  FeatureCacheOptions,
  FeatureKind,
  FeatureProgress,
  PrepareOptions,
} from './features/features.js';
export { FolderInUseError, lockFolder } from './files/folder-lock.js';
export type { FolderLock, LockHolder } from './files/folder-lock.js';
export type { Evaluation } from './training/evaluate.js';
export type { GradientExchange, PassAnswer } from './training/gradient-exchange.js';
export type { InitialState } from './training/initial-state.js';
export type { CurvePoint, EarlyStopping, SkippedStep, UsageAtStep } from './training/history.js';
export { baselineNames, methodNamed, methodNames } from './training/method.js';
export type { BaselineName, TrainingMethod } from './training/method.js';
export { defaultLearningRates, optimiserDefaults, optimiserKinds } from './training/optimiser.js';
export type {
  LearningRates,
  OptimiserDefaults,
  OptimiserKind,
  OptimiserSettings,
} from './training/optimiser.js';
export type {
  RunOptions,
  ScoreFunction,
  TaskData,
  TrainingExample,
  TrainingOptions,
} from './training/options.js';
export type { NamedTask, RunResult } from './training/run.js';
export { resolveSettings } from './training/settings.js';
export type { TrainingSettings, TrainingSettingsInput, WarmUp } from './training/settings.js';
export { drawTasks, taskProbabilities } from './training/task-sampling.js';
export type { TaskSampling } from './training/task-sampling.js';
export { trainMultitask } from './training/train-multitask.js';
export type {
  MultitaskOptions,
  MultitaskParameters,
  MultitaskResult,
  TaskResult,
} from './training/train-multitask.js';
export { trainPrompt } from './training/train-prompt.js';
export type { TrainingResult, TunedParameters } from './training/train-prompt.js';
export type { ChoiceUsage, PoolUsage } from './training/usage.js';
