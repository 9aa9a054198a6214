import { hostname } from 'node:os';

import {
  ConfigurationError,
  DataError,
  decodeSafetensors,
  encodeSafetensors,
  nullThrows,
  type ParameterSet,
  type ParameterTensor,
  type RandomStreamState,
} from '@dynaprompt/core';

import type { Snapshot } from '../files/folder-snapshot.js';
import { packageName } from '../package-name.js';
import type { BestSoFar, RunHistory } from '../training/history.js';
import type { ChoiceUsage } from '../training/usage.js';
import type { RunState } from './state.js';

const format = 'dynaprompt-checkpoint';
const formatVersion = 1;

const stateFile = 'state.json';
const parametersFile = 'parameters.safetensors';
const optimiserFile = 'optimiser.safetensors';

/** What the manifest of a checkpoint or of best parameters says of them. */
export interface About {
  readonly kind: 'checkpoint' | 'best';
  readonly step: number;
  /** Step of the best parameters that a checkpoint goes with. */
  readonly best?: number | undefined;
}

/** A state, the run that it is of, and the time that went into it. */
export interface CheckpointContent {
  readonly state: RunState;
  /** A `RunIdentity`, as it was written. */
  readonly run: unknown;
  /** Wall-clock time of the run so far. */
  readonly seconds: number;
}

type SpelledNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** What stands in `state.json`. */
interface StateJson {
  readonly step: number;
  readonly seconds: number;
  readonly written: { readonly host: string; readonly at: string; readonly node: string };
  readonly run: unknown;
  readonly optimiser_step: number;
  readonly streams: readonly RandomStreamState[];
  readonly best: { readonly step: number; readonly score: SpelledNumber } | null;
  readonly loss: readonly (readonly [step: number, loss: number])[];
  readonly validation: readonly {
    readonly step: number;
    readonly scores: readonly SpelledNumber[];
    /** What was chosen, a task each; absent where it was not kept. */
    readonly usage?: readonly (ChoiceUsage | null | undefined)[];
  }[];
  readonly skipped: RunHistory['skipped'];
}

/** A checkpoint as files; the best parameters are a snapshot of their own. */
export function encodeCheckpoint({ state, run, seconds }: CheckpointContent): Snapshot<unknown> {
  const { step, parameters, optimiser, featureStatistics, streams, history } = state;
  const { best } = history;
  const json: StateJson = {
    step,
    seconds,
    written: { host: hostname(), at: new Date().toISOString(), node: process.version },
    run,
    optimiser_step: optimiser.step,
    streams,
    best: best === undefined ? null : { step: best.step, score: spell(best.score) },
    loss: history.losses.map((point) => [point.step, point.value] as const),
    validation: history.evaluations.map(({ scores, ...at }) => ({ ...at, scores: scores.map(spell) })),
    skipped: history.skipped,
  };
  const statistics = Object.entries<Float32Array>({ ...featureStatistics });
  const tensors: ParameterSet = new Map([
    ...[...parameters].map(([name, tensor]) => [`parameters/${name}`, tensor] as const),
    ...statistics.map(([name, values]) => [`features/${name}`, { shape: [values.length], values }] as const),
  ]);
  return {
    about: signed({ kind: 'checkpoint', step, best: best?.step }),
    files: new Map([
      [stateFile, new TextEncoder().encode(`${JSON.stringify(json, null, 1)}\n`)],
      [parametersFile, encodeSafetensors(tensors, { format })],
      [optimiserFile, encodeSafetensors(optimiser.tensors, { format })],
    ]),
  };
}

/** The content of a checkpoint. @throws DataError, ConfigurationError as {@link readAboutOf}. */
export function decodeCheckpoint(
  { about, files }: Snapshot<unknown>,
  path: string,
  bestParameters: (step: number) => ParameterSet,
): CheckpointContent {
  const { step } = readAboutOf(about, 'checkpoint', path);
  const json = JSON.parse(new TextDecoder().decode(fileOf(files, stateFile, path))) as StateJson;
  if (json.step !== step) throw unusable(path, `${stateFile} is of step ${json.step}`);
  const tensors = tensorsIn(files, parametersFile, path);
  const features = groupOf(tensors, 'features/');
  const [mean, std] = [features.get('mean')?.values, features.get('std')?.values];
  return {
    run: json.run,
    seconds: json.seconds,
    state: {
      step,
      parameters: groupOf(tensors, 'parameters/'),
      optimiser: { step: json.optimiser_step, tensors: tensorsIn(files, optimiserFile, path) },
      featureStatistics: mean && std && { mean, std },
      streams: json.streams,
      history: {
        losses: json.loss.map(([at, value]) => ({ step: at, value })),
        evaluations: json.validation.map(({ usage = [], ...at }) => ({
          step: at.step,
          scores: at.scores.map(Number),
          usage: at.scores.map((_, task) => usage[task] ?? undefined),
        })),
        skipped: json.skipped.map((one) => ({ ...one })),
        best: json.best === null ? undefined : bestOf(json.best, bestParameters(json.best.step)),
      },
    },
  };
}

/** The best parameters of a run as files. */
export function encodeBest({ step, parameters }: BestSoFar): Snapshot<unknown> {
  return {
    about: signed({ kind: 'best', step }),
    files: new Map([[parametersFile, encodeSafetensors(parameters, { format })]]),
  };
}

/** The parameters in a snapshot of {@link encodeBest}. @throws DataError when it is not one. */
export function decodeBest({ about, files }: Snapshot<unknown>, path: string): ParameterSet {
  readAboutOf(about, 'best', path);
  return tensorsIn(files, parametersFile, path);
}

/** What a manifest says. @throws DataError when it is not one of that kind, ConfigurationError when it is of another version. */
export function readAboutOf(about: unknown, kind: About['kind'], path: string): About {
  const { format_version: version, ...fields } = about as Partial<ReturnType<typeof signed>>;
  if (fields.format !== format || fields.kind !== kind) throw unusable(path, `it is no ${kind} of a run`);
  if (version !== formatVersion) {
    throw new ConfigurationError({
      packageName,
      subject: path,
      problem: `its format has version ${version ?? '(missing)'}, not ${formatVersion}`,
      remedy: 'Go on with the version that wrote it, or name another folder',
    });
  }
  const { step = 0, best } = fields;
  return { kind, step, best };
}

function signed(about: About): About & { readonly format: string; readonly format_version: number } {
  return { format, format_version: formatVersion, ...about };
}

function bestOf(best: NonNullable<StateJson['best']>, parameters: ParameterSet): BestSoFar {
  return { step: best.step, score: Number(best.score), parameters };
}

function fileOf(files: Snapshot<unknown>['files'], name: string, path: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw unusable(path, `it has no ${name}`);
  return bytes;
}

function tensorsIn(files: Snapshot<unknown>['files'], name: string, path: string): ParameterSet {
  const { tensors } = decodeSafetensors(fileOf(files, name, path), `${path}/${name}`);
  return new Map(
    [...tensors].map(([tensor, { dtype, shape, values }]): [string, ParameterTensor] => {
      if (dtype !== 'F32') throw unusable(path, `tensor ${tensor} is ${dtype}, not F32`);
      return [tensor, { shape, values }];
    }),
  );
}

function groupOf(tensors: ParameterSet, prefix: string): ParameterSet {
  return new Map(
    [...tensors.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => [
        name.slice(prefix.length),
        nullThrows(tensors.get(name), 'a tensor is under its own name'),
      ]),
  );
}

/** JSON has no numbers that are not finite; a metric may be undefined on some predictions. */
function spell(value: number): SpelledNumber {
  return Number.isFinite(value) ? value : (String(value) as SpelledNumber);
}

function unusable(path: string, problem: string): DataError {
  return new DataError({ packageName, subject: path, problem, remedy: 'Name the folder of a run' });
}
