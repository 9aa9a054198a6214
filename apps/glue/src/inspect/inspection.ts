import type { DynamicPrompt } from '@dynaprompt/core';
import { type InspectedPrompt, inspectedPrompt } from '@dynaprompt/runner';
import type { ExampleTokens, TextExample } from '@dynaprompt/text';

import type { TextAnswer } from '../predict/text-answer.js';
import { promptedSequence, type SequencePart } from './sequence.js';

/** How an adapter reads and answers one example. */
export interface Inspection {
  readonly example: TextExample;
  readonly answer: TextAnswer;
  readonly read: ExampleTokens;
  readonly sequence: readonly SequencePart[];
  /** Absent where the adapter is a head alone. */
  readonly prompt: InspectedPrompt | undefined;
}

/** Puts together what is known of one example. */
export function inspectionOf(
  example: TextExample,
  answer: TextAnswer,
  read: ExampleTokens,
  dynamicPrompt: DynamicPrompt | undefined,
): Inspection {
  const prompt = dynamicPrompt && inspectedPrompt(dynamicPrompt, answer);
  return { example, answer, read, prompt, sequence: promptedSequence(read, prompt) };
}
