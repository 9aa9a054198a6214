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
export { sequenceText } from './adapter/sequence-text.js';
export { promptedSequence, type ReadPieces } from './adapter/prompted-sequence.js';
export {
  openAdapter,
  type AdapterOpener,
  type AdapterOptions,
  type AdapterPlace,
  type OpenAdapter,
} from './adapter/open-adapter.js';
export { placeOf, type BundledPlace } from './adapter/place.js';
export { methodOf } from './comparison/methods.js';
export { joined as joinedPatches } from './comparison/inspections.js';
export { majorityOf } from './comparison/summary.js';
export { compare, type ComparisonListener, type ComparisonScene } from './comparison/comparison.js';
export { runComparison } from './comparison/run-comparison.js';
export { serveComparison } from './comparison/serve-comparison.js';
export { usableExamples, type UsableSplits } from './data/usable-examples.js';
export { paletteFor, plainPalette, type Palette } from './display/colour.js';
export { addDoctor, examine, type Patient, runDoctor } from './doctor/run-doctor.js';
export type { DryRun } from './dry-run/dry-run.js';
export { formatSections, leftColumns, methodCatalogue, methodsTable } from './list/methods.js';
export { addDemonstration, addExportPeft, addList, createProgram } from './options/commands.js';
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
  outputOf,
  type OutputOptions,
} from './options/comparison.js';
export {
  addBackbone,
  addBudget,
  addCompute,
  addEvaluation,
  addHead,
  addOptimiser,
  addOutput,
  addShots,
  addSlots,
  addStops,
  addTasks,
} from './options/flags.js';
export { completeRun, type RunCommand } from './options/run-command.js';
export { assignFolders, foldersOf, type TaskFolder } from './options/folders.js';
export { parseCount, parseList } from './options/values.js';
export { givenLines, openLines, type LineSource } from './process/line-source.js';
export type { TextLine } from './process/lines.js';
export { runProgram, type ProgramTools } from './process/run-program.js';
export { versionsOf, type TakenPackage } from './process/versions.js';
export { writeLines } from './process/write-lines.js';
export { addStudy, type StudyCommand } from './study/command.js';
export type { StudyOptions, StudyPlaces } from './study/options.js';
export type { StudyResults } from './study/results.js';
export { runStudy } from './study/run-study.js';
export { serveStudy } from './study/serve-study.js';
export { addWorker, serveQueue, type WorkerPlaces } from './queue/command.js';
export { addSweep } from './sweep/command.js';
export { runSweep, type SweepPlaces } from './sweep/run-sweep.js';
export { serveSweep } from './sweep/serve-sweep.js';
export type { SweepSummary } from './sweep/summary.js';
export { addParallel, parallelOf, type ParallelFlags, type ParallelOptions } from './parallel/flags.js';
export { exchangeOver } from './parallel/exchange.js';
export type { RankChannel } from './parallel/channel.js';
export { RankLostError, RanksDifferError } from './parallel/errors.js';
export type { MethodEstimate } from './dry-run/estimate.js';
export type { BundledFolder, Finding } from './doctor/checks.js';
export type { RateGrid } from './study/rates.js';
export type { JobFailure, RowSummary } from './sweep/summary.js';
export type { StoppableExchange } from './parallel/exchange.js';
export type { RunMeans } from './comparison/runs.js';
export type { ComparisonDomain } from './comparison/perform.js';
export type { StudyDomain } from './study/run-study.js';
export type { SweepDomain } from './sweep/plan.js';
export type { SweepApplication } from './sweep/options.js';
export type { TaskLoader } from './study/serve-study.js';
export type { StudyRow, StudyTask } from './study/results.js';
export type { JobQueue } from './queue/contract.js';
export type { OptionValue } from './sweep/axes.js';
export type { Shapes } from './dry-run/measure.js';
export type { RatePair, RateSetting } from './study/rates.js';
export type { RowDifference } from './sweep/summary.js';
export type { CheckpointPlan } from './comparison/runs.js';
export type { StudyDifference, StudyFailure } from './study/results.js';
export type { JobState } from './queue/contract.js';
export type { SweepJob } from './sweep/jobs.js';
export type { JobIdentity } from './sweep/jobs.js';
export type { JobResult } from './sweep/store.js';
export type { Outcome } from './study/run-plan.js';
export type { Failed, Finished } from './study/run-plan.js';
