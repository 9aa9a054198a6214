export type {
  AnswerKind,
  BundledLayout,
  BundledSplits,
  ColumnNames,
  LabelDefinition,
  LabelledDataset,
  LabelledExample,
  PromptTemplate,
  TaskDefinition,
  TaskMeasures,
  TextExample,
  TextSpan,
} from './datasets/types.js';
export { candidateInputs, rightCandidates, withOneAnswer } from './datasets/candidate-inputs.js';
export type { CandidateInput } from './datasets/candidate-inputs.js';
export { fewShotSplits, MOST_SHOTS } from './datasets/few-shot.js';
export type { FewShotOptions, FewShotSplits } from './datasets/few-shot.js';
export type { EvaluationSplit } from './datasets/folders/choose-variant.js';
export type { FolderLayout, FolderVariant, SplitSource } from './datasets/folders/layout.js';
export { readTable } from './datasets/formats/read-table.js';
export { tableFormats } from './datasets/formats/table.js';
export type { Table, TableFormat, TableRow, TextLayout } from './datasets/formats/table.js';
export type { BadRowPolicy, RowFault, SkippedRows } from './datasets/rows/faults.js';
export type { RowReader, RowReading } from './datasets/rows/row-reader.js';
export { hubPathsOf, hubPicturePathsOf } from './datasets/hub-paths.js';
export { loadTask } from './datasets/load-task.js';
export type { LoadTaskOptions } from './datasets/load-task.js';
export { groupSample, sampleOf, stratifiedSample, type Grouped, type Labelled } from './datasets/sample.js';
export { taskNamed, tasks } from './datasets/tasks.js';
export { openMojiAttribution, readOpenMoji } from './images/openmoji.js';
export type { OpenMojiOptions } from './images/openmoji.js';
export { readCifar10, readCifar100 } from './images/cifar.js';
export type { CifarLabels } from './images/cifar.js';
export { readIdx } from './images/idx.js';
export type { IdxFacts } from './images/idx.js';
export { readImageFolder } from './images/image-folder.js';
export { imageDatasetNames, loadImages } from './images/load-images.js';
export type { ImageDatasetName, LoadImagesOptions } from './images/load-images.js';
export type { OfficialLists } from './images/official-lists.js';
export { readImageParquet } from './images/parquet.js';
export type { ImageParquetOptions, ParquetPicture } from './images/parquet.js';
export type { ParquetFile } from './datasets/formats/parquet.js';
export { splitImages } from './images/splits.js';
export type {
  FewShotProtocol,
  ImageProtocol,
  SplitOptions,
  Vtab1kProtocol,
  WholeProtocol,
} from './images/splits.js';
export type {
  ImageCollection,
  ImageEntry,
  ImageFacts,
  LabelledImage,
  LabelledImageDataset,
} from './images/types.js';
export { calibration, expectedCalibrationError } from './metrics/calibration.js';
export type { Calibration, CalibrationBin } from './metrics/calibration.js';
export { confusionMatrix, perClassAccuracy, topClasses, topOneAccuracy } from './metrics/confusion.js';
export type { ConfusionMatrix } from './metrics/confusion.js';
export { majorityBaseline } from './metrics/majority.js';
export type { MajorityBaseline } from './metrics/majority.js';
export {
  accuracy,
  f1,
  macroF1,
  matthews,
  meanPerClassAccuracy,
  metricNamed,
  metricNames,
  metrics,
  pearson,
  spearman,
} from './metrics/metrics.js';
export type { Metric, MetricName, Predictions } from './metrics/metrics.js';
export { glueAverage, superGlueAverage } from './metrics/official/averages.js';
export type { ScoresByTask } from './metrics/official/averages.js';
export { measureNames, measures } from './metrics/official/measures.js';
export type { Measure, MeasureName } from './metrics/official/measures.js';
export { scoreTask } from './metrics/official/score-task.js';
export type { TaskScores } from './metrics/official/score-task.js';
export { comparisonTable } from './report/comparison-table.js';
export type { ComparisonTable } from './report/comparison-table.js';
export { measuresTable } from './report/measures-table.js';
export { formatTable, methodTable, taskTable } from './report/method-table.js';
export type { TableColumn, TextTable } from './report/method-table.js';
export { renderReport } from './report/report.js';
export { formatNames, scoreTitle } from './report/score-format.js';
export { compareMethods } from './results/compare-methods.js';
export { MOST_INSPECTIONS, parseInspections } from './results/inspections.js';
export type { InspectedPart, Inspection } from './results/inspections.js';
export { methodResult } from './results/method-result.js';
export type { SeedRun } from './results/method-result.js';
export { examplePredictions, isRight, readPredictions, scorePredictions } from './results/predictions.js';
export type {
  AskedExample,
  ExamplePrediction,
  RunPredictions,
  SaidOfExamples,
} from './results/predictions.js';
export type { RunRecord } from './results/run-files.js';
export { parseResults, runResultsSchema } from './results/schema.js';
export type {
  Comparisons,
  CurvePoint,
  LearningCurve,
  MethodComparison,
  Baselines,
  MethodResult,
  RunResults,
  ScoreName,
  UsagePoint,
  UsageResult,
} from './results/schema.js';
export { readResults, writeRun } from './results/write-run.js';
export type { WrittenRun } from './results/write-run.js';
export { bootstrapInterval } from './statistics/bootstrap.js';
export type { BootstrapOptions } from './statistics/bootstrap.js';
export { mcNemarTest } from './statistics/mcnemar.js';
export type { McNemarResult } from './statistics/mcnemar.js';
export { holm, pairedPermutationTest } from './statistics/significance.js';
export type { PermutationOptions, PermutationResult } from './statistics/significance.js';
export { confidenceInterval, summarize } from './statistics/summary.js';
export type { ConfidenceInterval, Summary } from './statistics/summary.js';
export { answerVocabulary, softTargets, vocabularyCeiling, vocabularyOf } from './vqa/answers/vocabulary.js';
export type { AnswerVocabulary, AnswerVocabularyOptions } from './vqa/answers/vocabulary.js';
export { candidateStatements, questionAnswer, statement } from './vqa/answers/statements.js';
export type { StatementStyle } from './vqa/answers/statements.js';
export { loadVqa, splitVqa, vqaDatasetNames } from './vqa/load-vqa.js';
export type { LoadVqaOptions, VqaDatasetName, VqaSplitOptions } from './vqa/load-vqa.js';
export { answerScores, languagePrior, vqaScore, vqaScores } from './vqa/metrics/accuracy.js';
export type { AnsweredQuestion, VqaPartScore, VqaScores, VqaScoring } from './vqa/metrics/accuracy.js';
export { answerForm, normaliseAnswer } from './vqa/metrics/normalise.js';
export { readClevr } from './vqa/readers/clevr.js';
export { readGqa } from './vqa/readers/gqa.js';
export { readVqaParquet } from './vqa/readers/parquet.js';
export type { ParquetQuestion } from './vqa/readers/parquet.js';
export type { VqaReadOptions } from './vqa/readers/rows.js';
export { readVqaFolder } from './vqa/readers/vqa-folder.js';
export type { VqaEdition } from './vqa/readers/vqa-folder.js';
export { writeScenes } from './vqa/scenes/write-scenes.js';
export type { SceneOptions, WrittenScenes } from './vqa/scenes/write-scenes.js';
export type {
  VqaCollection,
  VqaDataset,
  VqaEntry,
  VqaExample,
  VqaFacts,
  VqaMeasure,
  VqaSplit,
} from './vqa/types.js';
export type { RowsWanted } from './datasets/formats/parquet.js';
export type { OpenMojiClasses } from './images/openmoji.js';
