import { renderReport } from '../report/report.js';
import type { Inspection } from './inspections.js';
import { type CardOptions, modelCard } from './model-card.js';
import { fileName, runName } from './names.js';
import { predictionLines, type RunPredictions } from './predictions.js';
import { resultsCsv } from './results-csv.js';
import type { RunResults } from './schema.js';
import { eventFilePath, tensorBoardFiles } from './tensorboard/run-events.js';

/** What a run leaves behind beside its results. */
export interface RunRecord extends CardOptions {
  readonly predictions?: readonly RunPredictions[];
  /** At most 20. */
  readonly inspections?: readonly Inspection[];
}

/** Files at the top of a run's folder. */
export const RESULTS = 'results.json';
export const REPORT = 'report.html';
export const TABLE = 'results.csv';
export const CARD = 'README.md';
const INSPECTIONS = 'inspections.json';

/** Everything that is written of a run, by path below its folder. */
export function runFiles(results: RunResults, record: RunRecord): ReadonlyMap<string, string | Uint8Array> {
  const { predictions = [], inspections = [] } = record;
  return new Map<string, string | Uint8Array>([
    [RESULTS, resultsText(results)],
    [REPORT, renderReport(results, inspections)],
    [TABLE, resultsCsv(results)],
    [CARD, modelCard(results, record)],
    ...(inspections.length === 0
      ? []
      : [[INSPECTIONS, `${JSON.stringify(inspections, null, 2)}\n`] as const]),
    ...predictions.map(
      ({ method, seed, task, examples }) =>
        [predictionsPath(method, seed, task), predictionLines(examples)] as const,
    ),
    ...tensorBoardFiles(results),
  ]);
}

/** Paths of all files that a run with these results may have written, but for its card, which may be another's. */
export function pathsOfRun(results: RunResults): readonly string[] {
  const { methods, tasks = {} } = results;
  const runs = Object.entries(methods).flatMap(([name, { seeds }]) => seeds.map((seed) => ({ name, seed })));
  return [
    RESULTS,
    REPORT,
    TABLE,
    INSPECTIONS,
    ...runs.flatMap(({ name, seed }) => [
      eventFilePath(results, name, seed),
      ...[undefined, ...Object.keys(tasks)].map((task) => predictionsPath(name, seed, task)),
    ]),
  ];
}

/** `predictions/METHOD-seedN.jsonl`, of several tasks `predictions/METHOD-seedN/TASK.jsonl`. */
function predictionsPath(method: string, seed: number, task: string | undefined): string {
  const run = `predictions/${runName(method, seed)}`;
  return task === undefined ? `${run}.jsonl` : `${run}/${fileName(task)}.jsonl`;
}

/** Indented JSON with each point of a curve on one line. */
function resultsText(results: RunResults): string {
  const point = /\{\s+"step": ([^\s,]+),\s+"value": (\S+)\s+\}/g;
  return `${JSON.stringify(results, null, 2).replace(point, '{ "step": $1, "value": $2 }')}\n`;
}
