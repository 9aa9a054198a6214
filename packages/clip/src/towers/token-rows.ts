import type { Tokenizer } from '@dynaprompt/text';
import { ConfigurationError } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import type { TokenRow } from './text-batch.js';

/** Words with one place for words of an example's, such as `a photo of a {class}`. */
export interface Wording {
  readonly before: string;
  readonly after: string;
}

/**
 * Parses a wording.
 * @param place what stands for the words, e.g. `class`.
 * @throws ConfigurationError if {place} does not stand in it exactly once.
 */
export function parseWording(template: string, place: string): Wording {
  const [before = '', after, ...others] = template.split(`{${place}}`);
  if (after === undefined || others.length > 0) {
    throw new ConfigurationError({
      packageName: PACKAGE_NAME,
      subject: `template "${template}"`,
      problem: `{${place}} has to stand in it once`,
      remedy: `Write it like "a photo of a {${place}}"`,
    });
  }
  return { before, after };
}

/** The words in their wording. */
export function worded({ before, after }: Wording, words: string): string {
  return `${before}${words}${after}`;
}

/**
 * Tokens of words in a wording, special tokens around them. A prompt goes to the words: what the wording says stands outside of it,
 * where the tokeniser keeps the two apart; else it counts as words.
 */
export function tokenRow({ encode, single }: Tokenizer, wording: Wording, words: string): TokenRow {
  const ids = encode(worded(wording, words));
  const front = wording.before.trim() === '' ? [] : encode(wording.before.trimEnd());
  const middle = wording.after.trim() === '' ? ids : encode(`${wording.before}${words}`);
  const isSplit = startsWith(ids, front) && startsWith(ids, middle) && middle.length > front.length;
  const [start, end] = isSplit ? [front.length, middle.length] : [0, ids.length];
  return {
    ids: [...single.before, ...ids, ...single.after],
    layout: {
      before: single.before.length + start,
      content: end - start,
      after: ids.length - end + single.after.length,
    },
  };
}

/** A row of at most `most` tokens: what its content has too much is cut off at the end. */
export function cutRow(row: TokenRow, most: number): TokenRow {
  const { before, content, after } = row.layout;
  const excess = row.ids.length - most;
  if (excess <= 0 || excess >= content) return row;
  const end = before + content;
  return {
    ids: [...row.ids.slice(0, end - excess), ...row.ids.slice(end)],
    layout: { before, content: content - excess, after },
  };
}

function startsWith(ids: readonly number[], front: readonly number[]): boolean {
  return front.every((id, index) => ids[index] === id);
}
