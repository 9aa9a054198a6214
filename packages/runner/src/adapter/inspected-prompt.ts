import { type DynamicPrompt, nullThrows, type PositionChoice } from '@dynaprompt/core';

import type { Answer } from './classify.js';

/** A prompt that was put into one example. */
export interface PlacedPrompt {
  readonly position: Omit<PositionChoice, 'choice'>;
  /** l */
  readonly slots: number;
  /** The candidate that was chosen. */
  readonly choice: number;
  /** Active tokens. */
  readonly length: number;
}

/** The prompt of one example, and what it was made of. */
export interface InspectedPrompt extends PlacedPrompt {
  /** L, layers that receive prompts of their own. */
  readonly layers: number;
  /** [m] weights of the pool's entries; undefined without a pool. */
  readonly weights: readonly number[] | undefined;
}

/** What a prompt chose for an example that it was asked for. */
export function inspectedPrompt(
  { configuration, candidates, layers }: DynamicPrompt,
  answer: Pick<Answer, 'choice'>,
): InspectedPrompt {
  const { position, length, weights } = nullThrows(answer.choice, 'a prompt has made its choices');
  const { mode } = configuration.position;
  const { slots } = configuration;
  return { position: { mode, candidates }, slots, choice: position, length, layers, weights };
}

/** `4 of 10 tokens`, and in how many layers. */
export function lengthText({ length, slots, layers }: InspectedPrompt): string {
  return `${length} of ${slots} tokens${layers === 1 ? '' : `, others in each of ${layers} layers`}`;
}

/** Entries of a pool by weight, the heaviest first. */
export function poolText(weights: readonly number[]): string {
  return weights
    .map((weight, entry) => ({ weight, entry }))
    .sort((left, right) => right.weight - left.weight)
    .map(({ weight, entry }) => `entry ${entry}: ${weight.toFixed(3)}`)
    .join(', ');
}

/** The answer with the probability of every class: `positive 0.9742 (negative 0.0258)`. */
export function answerText(answer: Answer, strong: (text: string) => string): string {
  const others = answer.probabilities
    .filter(([name]) => name !== answer.label)
    .map(([name, probability]) => `${name} ${probability.toFixed(4)}`);
  return `${strong(answer.label)} ${answer.probability.toFixed(4)} (${others.join(', ')})`;
}

/** A prompt as JSON has it; null where there is none. */
export function promptOf(prompt: InspectedPrompt | undefined): Readonly<Record<string, unknown>> | null {
  if (prompt === undefined) return null;
  const { slots, length, layers, position, choice, weights } = prompt;
  return { slots, length, layers, position: { ...position, choice }, pool: weights ?? null };
}
