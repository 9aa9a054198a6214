/** Parts of what a model reads without its prompt; the places of a prompt are counted in the content. */
export interface Layout {
  /** Framing tokens in front, such as [CLS]. */
  readonly before: number;
  readonly content: number;
  /** Framing tokens behind, such as [SEP]. */
  readonly after: number;
}

/** How the place of a prompt is counted. */
export interface Placement {
  /** `split`: some prompt tokens stand in front of the content, the others behind it; `insert`: all of them at one anchor. */
  readonly mode: 'split' | 'insert';
  /** C, places to choose from. */
  readonly candidates: number;
}

/** What the model chose: its outputs `prompt_position` and `prompt_length`. */
export interface Choice {
  /** 0 … C − 1 */
  readonly position: number;
  /** Active prompt tokens. */
  readonly length: number;
}

/** A prompt token by its number, 1 … l. */
export interface PromptPiece {
  readonly prompt: number;
}

/** How many prompt tokens stand where. */
export interface Place {
  /** Content tokens in front of the first group. */
  readonly offset: number;
  /** Prompt tokens there. */
  readonly first: number;
  /** Prompt tokens behind the content. */
  readonly behind: number;
}

/** Where the prompt went. Source: Yang et al. 2023 (arXiv 2303.02909), section 3. */
export function placeOf(
  { mode, candidates }: Placement,
  { position, length }: Choice,
  content: number,
): Place {
  if (mode === 'insert') {
    const offset = Math.round((position * content) / (candidates - 1));
    return { offset, first: length, behind: 0 };
  }
  const first = Math.min(position, length);
  return { offset: 0, first, behind: length - first };
}

/**
 * The tokens that a model reads, with the active prompt tokens where they stand.
 * @param tokens the `before + content + after` tokens without a prompt.
 */
export function placePrompt<Token>(
  tokens: readonly Token[],
  layout: Layout,
  placement: Placement,
  choice: Choice,
): (Token | PromptPiece)[] {
  const { offset, first, behind } = placeOf(placement, choice, layout.content);
  const start = layout.before + offset;
  const end = layout.before + layout.content;
  return [
    ...tokens.slice(0, start),
    ...promptPieces(1, first),
    ...tokens.slice(start, end),
    ...promptPieces(first + 1, behind),
    ...tokens.slice(end),
  ];
}

function promptPieces(number: number, count: number): PromptPiece[] {
  return Array.from({ length: count }, (_, index) => ({ prompt: number + index }));
}

/** The place in words. */
export function placeText(placement: Placement, choice: Choice, content: number): string {
  const { offset, first, behind } = placeOf(placement, choice, content);
  const of = `position ${choice.position} of 0 … ${placement.candidates - 1}`;
  if (choice.length === 0) return `${of}; no prompt token is active`;
  if (placement.mode === 'insert') return `${of}: after ${offset} of ${content} tokens of the text`;
  return `${of}: ${first} in front of the text, ${behind} behind it`;
}
