import { type ExampleLayout, nullThrows, sourceTables } from '@dynaprompt/core';

import type { PlacedPrompt } from './inspected-prompt.js';

/** Pieces that a model reads of one example, without a prompt. */
export interface ReadPieces<Piece> {
  readonly tokens: readonly Piece[];
  /** Framing and content; the places of a prompt are counted in the content. */
  readonly layout: Omit<ExampleLayout, 'active'>;
}

/** What the model reads: the pieces with the active prompt tokens, by number 1 … l, between them. */
export function promptedSequence<Piece>(
  { tokens, layout }: ReadPieces<Piece>,
  placed: PlacedPrompt | undefined,
): readonly (Piece | { readonly prompt: number })[] {
  if (placed === undefined) return tokens;
  const { position, slots, choice, length } = placed;
  const { mode, candidates } = position;
  const shape = { mode, candidates, slots, total: tokens.length + slots };
  const table = sourceTables(shape, [{ ...layout, active: length }], Int32Array.of(choice));
  // Inactive tokens stand behind all others; nothing attends to them.
  return Array.from(table.subarray(0, tokens.length + length), (source) =>
    source < slots
      ? { prompt: source + 1 }
      : nullThrows(tokens[source - slots], 'a table points to tokens that are there'),
  );
}
