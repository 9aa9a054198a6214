import { type FrozenBackbone, timed } from '@dynaprompt/core';
import { setImmediate } from 'node:timers/promises';

import { cut, sortByLength } from '../data/order.js';
import type { Learner, Prediction } from './learner.js';
import type { ScoreFunction, TrainingExample } from './options.js';
import { type ChoiceUsage, usageOf } from './usage.js';

/** Predictions on a set of examples, in the order of the examples: enough for any other metric. */
export interface Evaluation {
  readonly score: number;
  /** [N] */
  readonly ids: readonly string[];
  /** [N] what the metric took for the right answers: classes, candidates, or numbers in the units of the data. */
  readonly expected: Int32Array | Float64Array;
  /** [N, classes] */
  readonly logits: Float32Array;
  /** [N] class or candidate with the largest logit, or the predicted number in the units of the data. */
  readonly predictions: Int32Array | Float32Array;
  /** [N] position candidate and number of active tokens that a prompt chose; absent without a prompt. */
  readonly choices: { readonly position: Int32Array; readonly length: Int32Array } | undefined;
  /** [N, m] weights of the pool's entries; absent without a pool. */
  readonly poolWeights?: Float32Array;
  /** How often each possibility was chosen; absent where nothing is chosen. */
  readonly usage: ChoiceUsage | undefined;
}

export interface EvaluationOptions<Example> {
  readonly backbone: Pick<FrozenBackbone<Example>, 'classes' | 'range' | 'lengthOf' | 'prepare'>;
  readonly learner: Pick<Learner<Example>, 'predict' | 'choiceSpace'>;
  readonly examples: readonly TrainingExample<Example>[];
  readonly metric: ScoreFunction;
  /** Examples of one forward pass; alike lengths go together. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
}

/** Predicts and scores. */
export async function evaluate<Example>(options: EvaluationOptions<Example>): Promise<Evaluation> {
  const { backbone, learner, examples, metric, batch, signal } = options;
  const { classes } = backbone;
  const logits = new Float32Array(examples.length * classes);
  const position = new Int32Array(examples.length);
  const length = new Int32Array(examples.length);
  let poolWeights: Float32Array | undefined;
  const choices: NonNullable<Prediction['choices']>[] = [];
  const entries = examples.map(({ example }, index) => ({ example, index }));
  const parts = timed('data', () =>
    cut(
      sortByLength(entries, ({ example }) => backbone.lengthOf(example)),
      batch,
    ),
  );
  for (const [at, part] of parts.entries()) {
    signal?.throwIfAborted();
    await timed('data', () => backbone.prepare?.((parts[at + 1] ?? []).map(({ example }) => example)));
    const prediction = await learner.predict(part.map(({ example }) => example));
    part.forEach(({ index }, row) => {
      logits.set(prediction.logits.subarray(row * classes, (row + 1) * classes), index * classes);
      position[index] = prediction.choices?.position[row] ?? 0;
      length[index] = prediction.choices?.length[row] ?? 0;
    });
    const weights = prediction.choices?.weights;
    if (weights !== undefined) {
      const entries = weights.length / part.length;
      const all = (poolWeights ??= new Float32Array(examples.length * entries));
      part.forEach(({ index }, row) => {
        all.set(weights.subarray(row * entries, (row + 1) * entries), index * entries);
      });
    }
    if (prediction.choices !== undefined) choices.push(prediction.choices);
    await setImmediate();
  }
  const isNumber = backbone.range !== undefined;
  const predictions = isNumber ? logits : largest(logits, classes);
  const expected = isNumber
    ? Float64Array.from(examples, ({ target }) => target ?? NaN)
    : Int32Array.from(examples, ({ label, alsoRight }, index) => {
        const chosen = predictions[index];
        return chosen !== undefined && alsoRight?.includes(chosen) === true ? chosen : label;
      });
  const earned = Float64Array.from(examples, ({ credits }, index) => {
    const chosen = predictions[index] ?? NaN;
    return credits === undefined ? Number(chosen === expected[index]) : (credits.get(chosen) ?? 0);
  });
  return {
    score: metric(predictions, expected, earned),
    ids: examples.map(({ id }) => id),
    expected,
    logits,
    predictions,
    choices: choices.length > 0 ? { position, length } : undefined,
    ...(poolWeights === undefined ? {} : { poolWeights }),
    usage: usageOf(learner.choiceSpace, choices),
  };
}

/** Index of the largest of every row of [N, classes]. */
function largest(logits: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, index) => {
    const scores = logits.subarray(index * classes, (index + 1) * classes);
    return scores.reduce((best, score, label) => (score > (scores[best] ?? 0) ? label : best), 0);
  });
}
