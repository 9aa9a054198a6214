import type { Tokenizer } from '@dynaprompt/text';
import type { TokenRow } from './text-batch.js';

/** A text as a tower reads it. */
export interface ReadText {
  /** As the vocabulary spells them, special tokens included. */
  readonly tokens: readonly string[];
  /** Framing and content; the places of a prompt are counted in the content. */
  readonly layout: TokenRow['layout'];
}

/** Rows of tokens, spelled. */
export function readTexts(
  tokenizer: Pick<Tokenizer, 'spell'>,
  rows: readonly TokenRow[],
): readonly ReadText[] {
  return rows.map(({ ids, layout }) => ({ tokens: tokenizer.spell(ids), layout }));
}
