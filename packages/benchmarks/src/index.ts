export type {
  BundledLayout,
  BundledSplits,
  ColumnNames,
  LabelDefinition,
  LabelledDataset,
  LabelledExample,
  PromptTemplate,
  TaskDefinition,
  TextExample,
  TsvLayout,
} from './datasets/types.js';
export { loadTask } from './datasets/load-task.js';
export type { LoadTaskOptions } from './datasets/load-task.js';
export { readTsv } from './datasets/read-tsv.js';
export type { TsvRow, TsvTable } from './datasets/read-tsv.js';
export { stratifiedSample } from './datasets/sample.js';
export { taskNamed, tasks } from './datasets/tasks.js';
export { majorityBaseline } from './metrics/majority.js';
export type { MajorityBaseline } from './metrics/majority.js';
export {
  accuracy,
  f1,
  macroF1,
  matthews,
  metricNamed,
  metricNames,
  metrics,
  pearson,
  spearman,
} from './metrics/metrics.js';
export type { Metric, MetricName, Predictions } from './metrics/metrics.js';
export { formatTable, methodTable } from './report/method-table.js';
export type { TableColumn, TextTable } from './report/method-table.js';
export { renderReport } from './report/report.js';
export { methodResult } from './results/method-result.js';
export type { SeedRun } from './results/method-result.js';
export { parseResults, runResultsSchema } from './results/schema.js';
export type { CurvePoint, LearningCurve, MethodResult, RunResults } from './results/schema.js';
export { readResults, writeRun } from './results/write-run.js';
export type { WrittenRun } from './results/write-run.js';
export { holm, pairedPermutationTest } from './statistics/significance.js';
export type { PermutationOptions, PermutationResult } from './statistics/significance.js';
export { confidenceInterval, summarize } from './statistics/summary.js';
export type { ConfidenceInterval, Summary } from './statistics/summary.js';
