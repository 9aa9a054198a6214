import { nullThrows, type PromptConfiguration } from '@dynaprompt/core';
import type { CurvePoint, LearningRates } from '@dynaprompt/training';

import type { HeadKind } from '../options/comparison.js';
import { hashOf } from '../process/hash.js';
import type { StudyOptions } from './options.js';
import { candidatesOf, configurationOf, type RateKind, rateKindOf } from './rates.js';

/** Everything that decides what a run gives. Plain JSON; its hash is the run's key. */
export interface StudyRun {
  readonly task: string;
  /** Fingerprint of the examples. */
  readonly data: string;
  /** Fingerprint of the frozen model. */
  readonly backbone: string;
  /** `tuning`: trained and scored on parts of the training examples; `final`: scored on the validation examples. */
  readonly phase: 'tuning' | 'final';
  readonly method: string;
  readonly configuration: PromptConfiguration | null;
  readonly seed: number;
  readonly rates: LearningRates;
  readonly steps: number;
  readonly batch: number;
  readonly slots: number;
  readonly head: HeadKind;
  readonly holdout: number | null;
  readonly evaluateEvery: number;
  /** Of the packages whose numbers these are. */
  readonly versions: Readonly<Record<string, string>>;
  /** What only the application knows; part of the key as if it stood beside the rest. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface KeyedRun {
  readonly key: string;
  readonly run: StudyRun;
}

/** What a run gave. */
export type Outcome = Finished | Failed;

/** What a run that ended well gave. */
export interface Finished {
  readonly ok: true;
  /** Score after the last step. */
  readonly final: number;
  readonly best: number;
  readonly bestStep: number;
  readonly trainableParameters: number;
  readonly seconds: number;
  readonly validation: readonly CurvePoint[];
  /** [C] and [l + 1], how often each was chosen; null where it is not learned. */
  readonly positions: readonly number[] | null;
  readonly lengths: readonly number[] | null;
  /** What the task measures of a trained run besides, by name; absent where there is nothing. */
  readonly measures?: Readonly<Record<string, number>>;
}

/** Why a run gave nothing. */
export interface Failed {
  readonly ok: false;
  readonly message: string;
}

/** A row of a table: runs that choose rates, and runs with the chosen ones. */
export interface Cell {
  readonly task: string;
  readonly method: string;
  /** μ, in the comparison of length penalties. */
  readonly penalty: number | null;
  readonly kind: RateKind;
  readonly candidates: readonly LearningRates[];
  /** By candidate and tuning seed; empty where there is nothing to choose. */
  readonly tuning: readonly (readonly KeyedRun[])[];
  /** By candidate and seed; only those of the chosen one are run. */
  readonly finals: readonly (readonly KeyedRun[])[];
}

/** What all runs on a task share. */
export type TaskIdentity = Pick<StudyRun, 'task' | 'data' | 'backbone' | 'versions' | 'details'>;

/** All rows of a study in the order of its tables; rows may share runs. */
export function planStudy(options: StudyOptions, tasks: readonly TaskIdentity[]): readonly Cell[] {
  const { methods, penalties } = options;
  return tasks.flatMap((task) => [
    ...methods.map((method) => cellOf(options, task, method, null)),
    ...(penalties?.values ?? []).map((penalty) => cellOf(options, task, penalties?.method ?? '', penalty)),
  ]);
}

function cellOf(options: StudyOptions, task: TaskIdentity, method: string, penalty: number | null): Cell {
  const { slots, basePrompt, head, seeds, tuningSeeds, rates: grid, steps, batch } = options;
  const { configuration: plain } = configurationOf(method, slots, undefined, basePrompt);
  const { configuration } = configurationOf(method, slots, penalty ?? undefined, basePrompt);
  const kind = rateKindOf(method, plain, head);
  const candidates = candidatesOf(kind, grid);
  const shared = { ...task, method, steps, batch, slots, head };
  const keyed = (run: StudyRun): KeyedRun => ({ key: keyOf(run), run });
  return {
    task: task.task,
    method,
    penalty,
    kind,
    candidates,
    // A penalised length has the rates of the method without penalty.
    tuning:
      candidates.length === 1
        ? []
        : candidates.map((rates) =>
            tuningSeeds.map((seed) =>
              keyed({
                ...shared,
                phase: 'tuning',
                configuration: plain,
                seed,
                rates,
                holdout: options.holdout,
                evaluateEvery: steps,
              }),
            ),
          ),
    finals: candidates.map((rates) =>
      seeds.map((seed) =>
        keyed({
          ...shared,
          phase: 'final',
          configuration,
          seed,
          rates,
          holdout: null,
          evaluateEvery: options.evaluateEvery,
        }),
      ),
    ),
  };
}

/** What tuning has come to. */
export type Choice =
  | { readonly state: 'open' }
  /** `scores`: mean over the tuning seeds by candidate, null where one failed. */
  | { readonly state: 'chosen'; readonly candidate: number; readonly scores: readonly (number | null)[] }
  | { readonly state: 'failed'; readonly message: string };

/** The candidate with the best mean score; of equal ones the first. A candidate of which a run failed is out. */
export function choose(cell: Cell, outcomes: ReadonlyMap<string, Outcome>): Choice {
  if (cell.tuning.length === 0) return { state: 'chosen', candidate: 0, scores: [] };
  const tried = cell.tuning.map((runs) => runs.map(({ key }) => outcomes.get(key)));
  if (tried.flat().includes(undefined)) return { state: 'open' };
  const scores = tried.map((runs) => {
    const finals = runs.flatMap((outcome) => (outcome?.ok === true ? [outcome.final] : []));
    return finals.length < runs.length ? null : finals.reduce((sum, score) => sum + score, 0) / runs.length;
  });
  const best = Math.max(...scores.map((score) => score ?? -Infinity));
  if (best === -Infinity) {
    const failed = tried.flat().find((outcome): outcome is Failed => outcome?.ok === false);
    return { state: 'failed', message: nullThrows(failed, 'every candidate failed').message };
  }
  return { state: 'chosen', candidate: scores.indexOf(best), scores };
}

/** The runs that can start now, each once: tuning first, then those with the chosen rates. */
export function pendingRuns(
  cells: readonly Cell[],
  outcomes: ReadonlyMap<string, Outcome>,
): readonly KeyedRun[] {
  const pending = new Map<string, KeyedRun>();
  for (const cell of cells) {
    const choice = choose(cell, outcomes);
    if (choice.state === 'failed') continue;
    const runs = choice.state === 'open' ? cell.tuning.flat() : (cell.finals[choice.candidate] ?? []);
    for (const run of runs) if (!outcomes.has(run.key)) pending.set(run.key, run);
  }
  return [...pending.values()];
}

/** SHA-256 of the run's configuration. */
function keyOf({ details, ...run }: StudyRun): string {
  return hashOf({ ...run, ...details });
}
