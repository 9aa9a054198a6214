import { anchorOffset, sourceTables } from '@dynaprompt/core';
import type { PlacedPrompt } from '@dynaprompt/runner';
import type { ExampleTokens } from '@dynaprompt/text';

/** A token of the example, or the number of a prompt token, 1 … l. */
export type SequencePart = string | { readonly prompt: number };

/** What the model reads: the tokens with the active prompt tokens between them. */
export function promptedSequence(
  { tokens, layout }: ExampleTokens,
  placed: PlacedPrompt | undefined,
): readonly SequencePart[] {
  if (placed === undefined) return tokens;
  const { position, slots, choice, length } = placed;
  const { mode, candidates } = position;
  const shape = { mode, candidates, slots, total: tokens.length + slots };
  const table = sourceTables(shape, [{ ...layout, active: length }], Int32Array.of(choice));
  // Inactive tokens stand behind all others; nothing attends to them.
  return Array.from(table.subarray(0, tokens.length + length), (source) =>
    source < slots ? { prompt: source + 1 } : (tokens[source - slots] ?? ''),
  );
}

/** Active prompt tokens, and tokens of the text, that stand before the place that was chosen. */
export function beforePlace(
  { layout }: ExampleTokens,
  { position, choice, length }: PlacedPrompt,
): { readonly prompt: number; readonly text: number } {
  return position.mode === 'split'
    ? { prompt: Math.min(choice, length), text: 0 }
    : { prompt: 0, text: anchorOffset(choice, position.candidates, layout.content) };
}
