import { runName } from '../names.js';
import type { LearningCurve, MethodResult, RunResults } from '../schema.js';
import { eventFile } from './event-file.js';
import type { EventMessage, SummaryValue } from './messages.js';

/** Event files of all runs, by path: a folder for each run, as TensorBoard tells runs apart. */
export function tensorBoardFiles(results: RunResults): ReadonlyMap<string, Uint8Array> {
  const startedAt = Date.parse(results.startedAt) / 1000;
  return new Map(
    Object.entries(results.methods).flatMap(([name, method]) =>
      method.curves.map((curve, index) => [
        eventFilePath(results, name, curve.seed),
        eventFile(startedAt, eventsOf(results, method, curve, startedAt, method.seconds[index] ?? 0)),
      ]),
    ),
  );
}

/** `tensorboard/METHOD-seedN/events.out.tfevents.SECONDS.dynaprompt` */
export function eventFilePath({ startedAt }: RunResults, method: string, seed: number): string {
  const seconds = Math.floor(Date.parse(startedAt) / 1000);
  return `tensorboard/${runName(method, seed)}/events.out.tfevents.${seconds}.dynaprompt`;
}

/** Times within a run are not kept: events are spread evenly over its seconds. */
function eventsOf(
  { metric }: RunResults,
  method: MethodResult,
  curve: LearningCurve,
  startedAt: number,
  seconds: number,
): readonly EventMessage[] {
  const values: readonly (readonly [step: number, value: SummaryValue])[] = [
    ...curve.loss.map(({ step, value }) => [step, { tag: 'train/loss', scalar: value }] as const),
    ...curve.validation.map(
      ({ step, value }) => [step, { tag: `validation/${metric}`, scalar: value }] as const,
    ),
    ...choicesOf(method, curve.seed),
  ];
  const steps = [...new Set(values.map(([step]) => step))].sort((left, right) => left - right);
  const last = Math.max(1, ...steps);
  return steps.map((step) => ({
    wallTime: startedAt + (seconds * step) / last,
    step,
    content: { values: values.flatMap(([at, value]) => (at === step ? [value] : [])) },
  }));
}

/** Histograms of what a prompt chose. */
function choicesOf(
  { usageOverTraining = [] }: MethodResult,
  seed: number,
): readonly (readonly [step: number, value: SummaryValue])[] {
  return usageOverTraining
    .filter((point) => point.seed === seed)
    .flatMap(({ step, task, positions, lengths }) => {
      const prefix = task === undefined ? 'choices' : `choices/${task}`;
      return [
        ...(positions === null ? [] : [[step, { tag: `${prefix}/position`, counts: positions }] as const]),
        ...(lengths === null ? [] : [[step, { tag: `${prefix}/length`, counts: lengths }] as const]),
      ];
    });
}
