import { ModelError, type PlanChoices, stream } from '@dynaprompt/core';
import type { TextExample } from '@dynaprompt/text';

import { packageName } from '../package-name.js';
import type { OpenAdapter } from './open-adapter.js';

/** The answer to one example. */
export interface Answer {
  /** Name of the most probable class. */
  readonly label: string;
  readonly probability: number;
  /** Class name and probability, in label order. */
  readonly probabilities: readonly (readonly [string, number])[];
  /** What the prompt decided; absent without one. */
  readonly choice: PromptChoice | undefined;
}

/** What a prompt decided for one example. */
export interface PromptChoice {
  /** Position candidate, 0 … C − 1. */
  readonly position: number;
  /** Active tokens. */
  readonly length: number;
  /** [m] mixture over the pool; undefined without one. */
  readonly weights: readonly number[] | undefined;
}

/** Answers examples, a batch at a time and in order. @throws ModelError when a logit is not finite. */
export function classifier(
  opened: Pick<OpenAdapter, 'adapter' | 'backbone' | 'prompt'>,
): (examples: readonly TextExample[]) => Promise<readonly Answer[]> {
  const { adapter, backbone, prompt } = opened;
  const { head, task, parameters, seed } = adapter;
  const names = Array.from({ length: head.classes }, (_, index) => head.labels[index] ?? `${index}`);
  // Drawn from only by prompts that were configured to be random in evaluation too.
  const random = stream(seed, 'predictions');
  return async (examples) => {
    if (examples.length === 0) return [];
    const features = prompt?.needsFeatures === true ? await featuresOf(backbone, examples) : undefined;
    const planned = prompt?.plan(features, examples.length, { training: false, random, task: task.index });
    const logits = await backbone.predict(examples, planned?.plan, parameters.head);
    return examples.map(({ id }, row) => {
      const scores = logits.subarray(row * names.length, (row + 1) * names.length);
      if (!scores.every(Number.isFinite))
        throw notFinite(backbone.description.name, id ?? `example ${row + 1}`);
      return { ...answerOf(names, softmax(scores)), choice: planned && choiceOf(planned.choices, row) };
    });
  };
}

/** [B, d], one example a pass as in training: what a prompt chooses does not depend on the other texts of a batch. */
async function featuresOf(
  backbone: OpenAdapter['backbone'],
  examples: readonly TextExample[],
): Promise<Float32Array> {
  const rows = new Float32Array(examples.length * backbone.width);
  for (const [row, example] of examples.entries()) {
    rows.set(await backbone.features([example]), row * backbone.width);
  }
  return rows;
}

function answerOf(names: readonly string[], probabilities: readonly number[]): Omit<Answer, 'choice'> {
  const probability = Math.max(...probabilities);
  return {
    label: names[probabilities.indexOf(probability)] ?? '',
    probability,
    probabilities: names.map((name, index) => [name, probabilities[index] ?? 0] as const),
  };
}

/** Of [classes] logits. */
function softmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((left, right) => left + right, 0);
  return powers.map((power) => power / sum);
}

function choiceOf({ position, length, weights }: PlanChoices, row: number): PromptChoice {
  const entries = (weights?.length ?? 0) / position.length;
  return {
    position: position[row] ?? 0,
    length: length[row] ?? 0,
    weights: weights && [...weights.subarray(row * entries, (row + 1) * entries)],
  };
}

function notFinite(backbone: string, id: string): ModelError {
  return new ModelError({
    packageName,
    subject: `backbone ${backbone}, ${id}`,
    problem: 'its logits are not finite',
    remedy: 'Check the model file, or choose an export in a wider element type (fp32)',
  });
}
