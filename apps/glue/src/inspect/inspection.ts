import { type DynamicPrompt, nullThrows } from '@dynaprompt/core';
import type { ExampleTokens, TextExample } from '@dynaprompt/text';

import type { Answer } from '../predict/classify.js';
import { type PlacedPrompt, promptedSequence, type SequencePart } from './sequence.js';

/** How an adapter reads and answers one example. */
export interface Inspection {
  readonly example: TextExample;
  readonly answer: Answer;
  readonly read: ExampleTokens;
  readonly sequence: readonly SequencePart[];
  /** Absent where the adapter is a head alone. */
  readonly prompt: InspectedPrompt | undefined;
}

/** The prompt of one example. */
export interface InspectedPrompt extends PlacedPrompt {
  /** L, layers that receive prompts of their own. */
  readonly layers: number;
  /** [m] weights of the pool's entries; undefined without a pool. */
  readonly weights: readonly number[] | undefined;
}

/** Puts together what is known of one example. */
export function inspectionOf(
  example: TextExample,
  answer: Answer,
  read: ExampleTokens,
  dynamicPrompt: DynamicPrompt | undefined,
): Inspection {
  const prompt = dynamicPrompt && inspectedPrompt(dynamicPrompt, answer);
  return { example, answer, read, prompt, sequence: promptedSequence(read, prompt) };
}

function inspectedPrompt(
  { configuration, candidates, layers }: DynamicPrompt,
  answer: Answer,
): InspectedPrompt {
  const { position, length, weights } = nullThrows(answer.choice, 'a prompt has made its choices');
  const { mode } = configuration.position;
  const { slots } = configuration;
  return { position: { mode, candidates }, slots, choice: position, length, layers, weights };
}
