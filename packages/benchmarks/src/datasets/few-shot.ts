import { ConfigurationError, DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { integerStream, shuffled } from '../random.js';
import type { LabelledExample } from './types.js';

/** What is drawn. */
export interface FewShotOptions {
  /** Examples of each class in either split, 1 … 32. */
  readonly shots: number;
  readonly seed: number;
}

/** Small splits of the same size. */
export interface FewShotSplits {
  readonly train: readonly LabelledExample[];
  readonly validation: readonly LabelledExample[];
}

/** Most examples of a class that few-shot protocols draw. */
export const MOST_SHOTS = 32;

/**
 * Draws as many examples of each class for training, and as many others for validation. No two examples of the draw have the
 * same texts or belong to the same group, so nothing of one split is seen in the other. Without classes (`labels` is empty: the
 * answer is a number or a candidate) all examples count as one class. The same seed draws the same examples. Throws a
 * `DataError` that names the class with too few.
 */
export function fewShotSplits(
  examples: readonly LabelledExample[],
  labels: readonly string[],
  { shots, seed }: FewShotOptions,
): FewShotSplits {
  requireShots(shots);
  return drawShots(examples, labels, { train: shots, validation: shots, seed, keyOf });
}

/** What {@link drawShots} draws. */
export interface ShotRequest<Example> {
  /** Examples of each class to train on. */
  readonly train: number;
  /** Others of each class to validate on. */
  readonly validation: number;
  readonly seed: number;
  /** Examples of the same key are never drawn together. */
  readonly keyOf: (example: Example) => string;
}

/** Examples of each class for two splits that share no key, as {@link fewShotSplits} draws them. */
export function drawShots<Example extends { readonly label: number }>(
  examples: readonly Example[],
  labels: readonly string[],
  request: ShotRequest<Example>,
): { readonly train: readonly Example[]; readonly validation: readonly Example[] } {
  const stream = integerStream(request.seed);
  const taken = new Set<string>();
  const train: Example[] = [];
  const validation: Example[] = [];
  const classes = labels.length === 0 ? [undefined] : labels.map((_, label) => label);
  const pools = classes.map((label) =>
    examples.filter((example) => label === undefined || example.label === label),
  );
  const wanted = request.train + request.validation;
  // Rare classes choose first: what they take is gone for the others.
  const order = classes
    .map((_, index) => index)
    .sort((first, second) => sizeOf(pools, first) - sizeOf(pools, second));
  for (const index of order) {
    const chosen: Example[] = [];
    for (const example of shuffled(pools[index] ?? [], stream)) {
      if (chosen.length === wanted) break;
      const key = request.keyOf(example);
      if (taken.has(key)) continue;
      taken.add(key);
      chosen.push(example);
    }
    if (chosen.length < wanted) throw tooFew(labels[index], chosen.length, request);
    train.push(...chosen.slice(0, request.train));
    validation.push(...chosen.slice(request.train));
  }
  return { train: shuffled(train, stream), validation: shuffled(validation, stream) };
}

/** Throws a `ConfigurationError` unless this is a number of examples of each class. */
export function requireShots(shots: number): void {
  if (Number.isSafeInteger(shots) && shots >= 1 && shots <= MOST_SHOTS) return;
  throw new ConfigurationError({
    packageName,
    subject: `shots ${shots}`,
    problem: 'this is not a number of examples of each class',
    remedy: `Give a whole number from 1 to ${MOST_SHOTS}`,
  });
}

function sizeOf(pools: readonly (readonly unknown[])[], index: number): number {
  return pools[index]?.length ?? 0;
}

function keyOf({ group, text, pair }: LabelledExample): string {
  return JSON.stringify(group === undefined ? [text, pair] : [group]);
}

function tooFew(
  label: string | undefined,
  found: number,
  { train, validation }: { readonly train: number; readonly validation: number },
): DataError {
  const most = Math.floor((found * train) / (train + validation));
  return new DataError({
    packageName,
    subject: label === undefined ? 'training split' : `class "${label}"`,
    problem: `it has ${found} different examples, and ${train} to train and ${validation} to validate are asked for`,
    remedy: `Ask for at most ${most}, or give more data`,
  });
}
