export type { Application } from './application.js';
export type {
  Domain,
  Head,
  LoadedStudyTask,
  LoadedTask,
  Measures,
  OpenBackbone,
  OpenTask,
  SeenBy,
  SeenExample,
  TaskSet,
  TunedRun,
} from './domain.js';
export {
  answerOf,
  classifier,
  predictor,
  probabilitiesOf,
  type Answer,
  type Prediction,
  type PromptChoice,
} from './adapter/classify.js';
export { exportAdapter } from './adapter/export-peft.js';
export { adapterOptionsOf, addAdapterFlags, type AdapterFlags } from './adapter/flags.js';
export {
  answerText,
  inspectedPrompt,
  lengthText,
  poolText,
  promptOf,
  type InspectedPrompt,
  type PlacedPrompt,
} from './adapter/inspected-prompt.js';
export {
  openAdapter,
  type AdapterOpener,
  type AdapterOptions,
  type AdapterPlace,
  type OpenAdapter,
} from './adapter/open-adapter.js';
export { placeOf, type BundledPlace } from './adapter/place.js';
export { promptedSequence, type ReadPieces } from './adapter/prompted-sequence.js';
export { sequenceText } from './adapter/sequence-text.js';
export { compare, type ComparisonListener, type ComparisonScene } from './comparison/comparison.js';
export { joined as joinedPatches } from './comparison/inspections.js';
export { methodOf } from './comparison/methods.js';
export type { ComparisonDomain } from './comparison/perform.js';
export { runComparison } from './comparison/run-comparison.js';
export type { CheckpointPlan, RunMeans } from './comparison/runs.js';
export { serveComparison } from './comparison/serve-comparison.js';
export { majorityOf } from './comparison/summary.js';
export { usableExamples, type UsableSplits } from './data/usable-examples.js';
export { paletteFor, plainPalette, type Palette } from './display/colour.js';
export type { BundledFolder } from './doctor/checks.js';
export { runDoctor, type Patient } from './doctor/run-doctor.js';
export type { DryRun } from './dry-run/dry-run.js';
export type { MethodEstimate } from './dry-run/estimate.js';
export type { Shapes } from './dry-run/measure.js';
export { formatSections, leftColumns, methodCatalogue, methodsTable } from './list/methods.js';
export { createProgram, type Demonstration } from './options/commands.js';
export {
  comparisonOf,
  defaultDataSeed,
  defaultSlots,
  type ComparisonFlags,
  type ComparisonOptions,
  type EarlyStoppingOptions,
  type HeadKind,
  type NanPolicy,
  type OptimiserFlags,
  type OutputOptions,
} from './options/comparison.js';
export {
  addBackbone,
  addBadSamples,
  addBudget,
  addCompute,
  addDtype,
  addEvaluation,
  addHead,
  addOptimiser,
  addShots,
  addSlots,
  addTasks,
} from './options/flags.js';
export { assignFolders, foldersOf, type TaskFolder } from './options/folders.js';
export { completeRun, type RunCommand } from './options/run-command.js';
export { parseCount } from './options/values.js';
export type { RankChannel } from './parallel/channel.js';
export { RankLostError, RanksDifferError } from './parallel/errors.js';
export { exchangeOver, type StoppableExchange } from './parallel/exchange.js';
export type { ParallelOptions } from './parallel/flags.js';
export { givenLines, openLines, type LineSource } from './process/line-source.js';
export type { TextLine } from './process/lines.js';
export { runProgram, type ProgramTools } from './process/run-program.js';
export { versionsOf, type TakenPackage } from './process/versions.js';
export { writeLines } from './process/write-lines.js';
export { commonActions, type ApplicationParts, type CommonActions } from './program/actions.js';
export { applicationCommandLine, type OwnCommands } from './program/command-line.js';
export { serveQueue, type WorkerPlaces } from './queue/command.js';
export type { JobQueue, JobState } from './queue/contract.js';
export type { StudyCommand } from './study/command.js';
export type { SeedDifference } from './study/difference.js';
export type { StudyOptions, StudyPlaces } from './study/options.js';
export type { RateGrid, RatePair, RateSetting } from './study/rates.js';
export type { StudyFailure, StudyResults, StudyRow, StudyTask } from './study/results.js';
export type { Failed, Finished, Outcome } from './study/run-plan.js';
export { runStudy, type StudyDomain } from './study/run-study.js';
export { serveStudy, type TaskLoader } from './study/serve-study.js';
export type { OptionValue } from './sweep/axes.js';
export type { JobIdentity, SweepJob } from './sweep/jobs.js';
export type { SweepApplication } from './sweep/options.js';
export type { SweepDomain } from './sweep/plan.js';
export { runSweep, type SweepPlaces } from './sweep/run-sweep.js';
export { serveSweep } from './sweep/serve-sweep.js';
export type { JobResult } from './sweep/store.js';
export type { JobFailure, RowSummary, SweepSummary } from './sweep/summary.js';
