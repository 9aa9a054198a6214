import { anchorOffset } from '@dynaprompt/core';
import type { PlacedPrompt } from '@dynaprompt/runner';
import type { ExampleTokens } from '@dynaprompt/text';

export { promptedSequence } from '@dynaprompt/runner';

/** A token of the example, or the number of a prompt token, 1 … l. */
export type SequencePart = string | { readonly prompt: number };

/** Active prompt tokens, and tokens of the text, that stand before the place that was chosen. */
export function beforePlace(
  { layout }: ExampleTokens,
  { position, choice, length }: PlacedPrompt,
): { readonly prompt: number; readonly text: number } {
  return position.mode === 'split'
    ? { prompt: Math.min(choice, length), text: 0 }
    : { prompt: 0, text: anchorOffset(choice, position.candidates, layout.content) };
}
