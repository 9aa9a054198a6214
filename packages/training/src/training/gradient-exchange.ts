import { ConfigurationError, type GradientSet, type ParameterSet, type PlanGradient } from '@dynaprompt/core';

import { packageName } from '../package-name.js';
import type { ResolvedMethod } from './method.js';

/** What one pass through the backbone gives a step. */
export interface PassAnswer {
  /** Mean over the examples of the pass. */
  readonly loss: number;
  /** Gradients of that mean. */
  readonly plan: PlanGradient;
  readonly head: GradientSet;
}

/**
 * Joins processes that train one run together: all of them take the same steps on the same batches, and each does every `size`-th pass
 * of a step through the backbone. Sums are taken from the answers of all in the order of the passes, so parameters are the same on all
 * ranks, bit for bit, and the same as those of one process that cuts its batches alike.
 */
export interface GradientExchange {
  /** 0 … size − 1 */
  readonly rank: number;
  readonly size: number;
  /**
   * Gives the answers of the own passes of a step, by their index, and resolves with those of all `count` passes in order.
   *
   * @param parameters as they are before the step; the same on all ranks.
   */
  exchange(
    own: ReadonlyMap<number, PassAnswer>,
    count: number,
    parameters: ParameterSet,
  ): Promise<readonly PassAnswer[]>;
}

/** Rows of one pass through the backbone. */
export interface PassRows {
  readonly start: number;
  readonly end: number;
}

/** Cuts the rows of a batch into passes of at most `microBatch`, small enough that every rank has one. */
export function passesOf(size: number, microBatch: number, ranks = 1): readonly PassRows[] {
  const rows = Math.min(microBatch, Math.ceil(size / ranks));
  return Array.from({ length: Math.ceil(size / rows) }, (_, index) => ({
    start: index * rows,
    end: Math.min(size, (index + 1) * rows),
  }));
}

/** Answers of all passes, in order; `answer` is asked for those that this process has to do. */
export async function* answersOf(
  passes: readonly PassRows[],
  answer: (pass: PassRows) => Promise<PassAnswer>,
  parameters: ParameterSet,
  exchange: GradientExchange | undefined,
): AsyncGenerator<PassRows & PassAnswer> {
  if (exchange === undefined) {
    for (const pass of passes) yield { ...pass, ...(await answer(pass)) };
    return;
  }
  const own = new Map<number, PassAnswer>();
  for (const [index, pass] of passes.entries()) {
    if (index % exchange.size === exchange.rank) own.set(index, await answer(pass));
  }
  const answers = await exchange.exchange(own, passes.length, parameters);
  for (const [index, pass] of passes.entries()) {
    const given = answers[index];
    if (given === undefined) throw new Error(`internal: pass ${index} has no answer`);
    yield { ...pass, ...given };
  }
}

/** @throws ConfigurationError for a method whose gradients are not exchanged. */
export function requireExchangeable({ kind, name }: ResolvedMethod): void {
  if (kind !== 'fine-tuning') return;
  throw new ConfigurationError({
    packageName,
    subject: `method "${name}"`,
    problem: 'the gradients of all weights are not exchanged between processes',
    remedy: 'Train it in one process, or train a prompt',
  });
}
