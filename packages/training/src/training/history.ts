import type { ParameterSet } from '@dynaprompt/core';

import type { ChoiceUsage } from './usage.js';

/** A value at a step. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/** A step whose update was left out, because something in it was not finite. */
export interface SkippedStep {
  /** 1 … steps */
  readonly step: number;
  /** What was not finite: `the loss` or `the gradient of …`. */
  readonly quantity: string;
  readonly exampleIds: readonly string[];
}

/** Best validation score so far, and the parameters that had it. */
export interface BestSoFar {
  readonly score: number;
  readonly step: number;
  readonly parameters: ParameterSet;
}

/** What the prompt chose in an evaluation. */
export interface UsageAtStep {
  readonly step: number;
  /** In the order of the tasks; undefined where nothing is chosen. */
  readonly usage: readonly (ChoiceUsage | undefined)[];
}

/** An evaluation, in the order of the tasks. */
export interface EvaluationPoint extends UsageAtStep {
  readonly scores: readonly number[];
}

/** What a run has seen up to some step. */
export interface RunHistory {
  /** Loss of the batch of every step that was taken. */
  readonly losses: CurvePoint[];
  readonly evaluations: EvaluationPoint[];
  readonly skipped: SkippedStep[];
  best: BestSoFar | undefined;
}

export function emptyHistory(): RunHistory {
  return { losses: [], evaluations: [], skipped: [], best: undefined };
}

/** Unweighted: every task counts alike, however many examples it has. */
export function meanScore(scores: readonly number[]): number {
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** How many steps up to `step` were left out one after the other. */
export function skippedInARow({ skipped }: Pick<RunHistory, 'skipped'>, step: number): number {
  const places = new Set(skipped.map((one) => one.step));
  let count = 0;
  while (places.has(step - count)) count++;
  return count;
}

/** When a run ends before its last step: once so many evaluations in a row were no better than the best one before them. */
export interface EarlyStopping {
  /** Evaluations, 1 or more. */
  readonly patience: number;
  /** How much better a score has to be in order to count; default 0: any bit. */
  readonly minimumGain?: number | undefined;
}

/** Whether the evaluations say that a run should end. */
export function isExhausted(
  { evaluations }: { readonly evaluations: readonly Pick<EvaluationPoint, 'scores'>[] },
  earlyStopping: EarlyStopping | undefined,
): boolean {
  if (earlyStopping === undefined) return false;
  const { patience, minimumGain = 0 } = earlyStopping;
  let best = -Infinity;
  let waited = 0;
  for (const { scores } of evaluations) {
    const score = meanScore(scores);
    if (score > best + minimumGain) {
      best = score;
      waited = 0;
    } else waited++;
  }
  return waited >= patience;
}
