import { anchorOffset, type PositionChoice, sourceTables } from '@dynaprompt/core';
import type { ExampleTokens } from '@dynaprompt/text';

/** A token of the example, or the number of a prompt token, 1 … l. */
export type SequencePart = string | { readonly prompt: number };

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
