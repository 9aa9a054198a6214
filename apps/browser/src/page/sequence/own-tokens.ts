import type { Layout } from './place-prompt.js';

/** A tokeniser, reduced to what the page needs. */
export interface TokenReader {
  /** What the model is given: special tokens included, cut to the longest that it takes. */
  readonly whole: (text: string, pair?: string) => WholeText;
  /** Ids of a text without special tokens. */
  readonly bare: (text: string) => readonly number[];
  /** Undefined where there is no mask token. */
  readonly maskId: number | undefined;
}

/** A text, or a pair of texts, as a tokeniser gives it. */
export interface WholeText {
  readonly ids: readonly number[];
  /** Token types; undefined where the tokeniser has none. */
  readonly types: readonly number[] | undefined;
}

/** What the model makes of its input before the prompt is put in. */
export interface OwnTokens {
  readonly ids: readonly number[];
  readonly layout: Layout;
}

/** Special tokens around a text. */
interface Frame {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
}

/**
 * The tokens that an exported model works on, as its graph makes them: a text that the tokeniser has cut gets its last special tokens
 * back, and a verbaliser's template is put around the text.
 *
 * @param template wording such as `{text} It was {mask} .`; undefined for a head that reads the text as it is.
 */
export function ownTokens(reader: TokenReader, whole: WholeText, template: string | undefined): OwnTokens {
  const single = frameOf(reader, false);
  return template === undefined
    ? plainTokens(whole, single)
    : templatedTokens(reader, whole, single, template);
}

function plainTokens({ ids }: WholeText, { before, after }: Frame): OwnTokens {
  const content = Math.max(0, ids.length - before.length - after.length);
  return {
    ids: [...ids.slice(0, before.length + content), ...after],
    layout: { before: before.length, content, after: after.length },
  };
}

function templatedTokens(
  reader: TokenReader,
  { ids, types }: WholeText,
  single: Frame,
  template: string,
): OwnTokens {
  const frame = frameOf(reader, true);
  const [, second] = types === undefined ? [] : typesOf(reader);
  const seconds = second === undefined ? 0 : (types ?? []).filter((type) => type === second).length;
  const split = ids.length - seconds;
  const end = split - (seconds > 0 ? frame.between.length : single.after.length);
  const texts: Readonly<Record<string, readonly number[]>> = {
    '{text}': ids.slice(single.before.length, Math.max(single.before.length, end)),
    '{pair}': seconds > 0 ? ids.slice(split, ids.length - frame.after.length) : [],
    '{mask}': reader.maskId === undefined ? [] : [reader.maskId],
  };
  const content = template
    .split(/(\{\w*\})/)
    .filter((part) => part.trim() !== '')
    .flatMap((part) => texts[part] ?? reader.bare(part));
  return {
    ids: [...single.before, ...content, ...single.after],
    layout: { before: single.before.length, content: content.length, after: single.after.length },
  };
}

/** Token types of the two texts of a pair; those of the second undefined where they are alike. */
function typesOf(reader: TokenReader): readonly [number | undefined, number | undefined] {
  const { types = [] } = reader.whole('a', 'b');
  const [first, last] = [types[0], types.at(-1)];
  return [first, first === last ? undefined : last];
}

/** Reads the frame off an encoded text, so that every tokeniser's own special tokens hold. */
function frameOf({ whole, bare }: TokenReader, isPair: boolean): Frame {
  const { ids } = isPair ? whole('a', 'b') : whole('a');
  const first = bare('a');
  const start = find(ids, first, 0);
  const end = start + first.length;
  if (!isPair) return { before: ids.slice(0, start), between: [], after: ids.slice(end) };
  const second = bare('b');
  const next = find(ids, second, end);
  return {
    before: ids.slice(0, start),
    between: ids.slice(end, next),
    after: ids.slice(next + second.length),
  };
}

function find(ids: readonly number[], wanted: readonly number[], from: number): number {
  for (let start = from; start + wanted.length <= ids.length; start++) {
    if (wanted.every((id, offset) => ids[start + offset] === id)) return start;
  }
  throw new Error('the tokeniser changes a text where it puts special tokens around it');
}
