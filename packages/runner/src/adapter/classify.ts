import { ModelError, type PlanChoices, stream } from '@dynaprompt/core';

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

/** What a head says of one example, unread. */
export interface Prediction {
  /** [classes] */
  readonly logits: Float32Array;
  /** What the prompt decided; absent without one. */
  readonly choice: PromptChoice | undefined;
}

/** Predicts examples, a batch at a time and in order. @throws ModelError when a logit is not finite. */
export function predictor<Example extends { readonly id?: string }>(
  opened: Pick<OpenAdapter<Example>, 'adapter' | 'backbone' | 'prompt'>,
): (examples: readonly Example[]) => Promise<readonly Prediction[]> {
  const { adapter, backbone, prompt } = opened;
  const { head, task, parameters, seed } = adapter;
  // Drawn from only by prompts that were configured to be random in evaluation too.
  const random = stream(seed, 'predictions');
  return async (examples) => {
    if (examples.length === 0) return [];
    const features = prompt?.needsFeatures === true ? await featuresOf(backbone, examples) : undefined;
    const planned = prompt?.plan(features, examples.length, { training: false, random, task: task.index });
    const all = await backbone.predict(examples, planned?.plan, parameters.head);
    return examples.map(({ id }, row) => {
      const logits = all.subarray(row * head.classes, (row + 1) * head.classes);
      if (!logits.every(Number.isFinite))
        throw notFinite(backbone.description.name, id ?? `example ${row + 1}`);
      return { logits, choice: planned && choiceOf(planned.choices, row) };
    });
  };
}

/** Answers examples by a class, a batch at a time and in order. @throws ModelError when a logit is not finite. */
export function classifier<Example extends { readonly id?: string }>(
  opened: Pick<OpenAdapter<Example>, 'adapter' | 'backbone' | 'prompt'>,
): (examples: readonly Example[]) => Promise<readonly Answer[]> {
  const { head } = opened.adapter;
  const names = Array.from({ length: head.classes }, (_, index) => head.labels[index] ?? `${index}`);
  const predict = predictor(opened);
  return async (examples) => (await predict(examples)).map((prediction) => answerOf(names, prediction));
}

/** [B, d], one example a pass as in training: what a prompt chooses does not depend on the others of a batch. */
async function featuresOf<Example>(
  backbone: OpenAdapter<Example>['backbone'],
  examples: readonly Example[],
): Promise<Float32Array> {
  const rows = new Float32Array(examples.length * backbone.width);
  for (const [row, example] of examples.entries()) {
    rows.set(await backbone.features([example]), row * backbone.width);
  }
  return rows;
}

/** What is most probable among these names, which the first logits belong to. */
export function answerOf(names: readonly string[], { logits, choice }: Prediction): Answer {
  const probabilities = softmax(logits.subarray(0, names.length));
  const probability = Math.max(...probabilities);
  return {
    label: names[probabilities.indexOf(probability)] ?? '',
    probability,
    probabilities: names.map((name, index) => [name, probabilities[index] ?? 0] as const),
    choice,
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

/** An answer as JSON has it. */
export function probabilitiesOf({
  label,
  probabilities,
}: Pick<Answer, 'label' | 'probabilities'>): Record<string, unknown> {
  return { label, probabilities: Object.fromEntries(probabilities) };
}
