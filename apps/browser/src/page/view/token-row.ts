import type { Layout, PromptPiece } from '../sequence/place-prompt.js';
import { element } from './elements.js';

/** What the model reads, in order: special tokens, tokens of the text, and prompt tokens by their numbers. */
export function tokenRow(sequence: readonly (string | PromptPiece)[], layout: Layout): HTMLElement {
  let own = 0;
  const end = layout.before + layout.content;
  const pieces = sequence.map((piece) => {
    if (typeof piece !== 'string') return promptChip(piece);
    const isFrame = own < layout.before || own >= end;
    own++;
    return element('li', isFrame ? 'token frame' : 'token', spelled(piece));
  });
  return element('ol', 'tokens', ...pieces);
}

function promptChip({ prompt }: PromptPiece): HTMLElement {
  const spoken = element('span', 'visually-hidden', 'prompt token ');
  const chip = element('li', 'token prompt', spoken, element('span', 'letter', 'p'), String(prompt));
  chip.dataset.prompt = String(prompt);
  return chip;
}

/** Marks of a space in front of a word, as many vocabularies have them, are drawn as one. */
function spelled(token: string): string {
  return token.replace(/^[\u0120\u2581]/, '\u00b7');
}
