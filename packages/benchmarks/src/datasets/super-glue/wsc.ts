import { RowProblem } from '../rows/faults.js';
import type { RowReader, RowReading } from '../rows/row-reader.js';
import { indexOf, objectOf, rawTextOf, shown, textOf, type Values } from '../rows/values.js';
import type { TextSpan } from '../types.js';

/** A text with a pronoun, and the noun that it may stand for, as the archive nests them. */
export const readWsc: RowReader = (values) => [reading(values, objectOf(values, 'target'))];

/** The same, as the Hub has it. */
export const readWscRow: RowReader = (values) => [reading(values, values)];

function reading(values: Values, target: Values): RowReading {
  const text = rawTextOf(values, 'text');
  const noun = textOf(target, 'span1_text');
  const pronoun = textOf(target, 'span2_text');
  const at = find(text, pronoun, indexOf(target, 'span2_index'));
  if (at === undefined)
    throw new RowProblem(`the text has no ${shown(pronoun)}`, 'Correct it or take it out');
  const end = at + pronoun.length;
  const nounAt = find(text, noun, indexOf(target, 'span1_index'));
  return {
    text: `${text.slice(0, at)}*${text.slice(at, end)}*${text.slice(end)}`,
    pair: noun,
    spans: [
      ...(nounAt === undefined ? [] : [span(nounAt + (nounAt > at ? 2 : 0), noun)]),
      span(at + 1, pronoun),
    ],
    label: values.label,
  };
}

function span(start: number, words: string): TextSpan {
  return { of: 'text', start, end: start + words.length };
}

/**
 * Where `words` stand in a text, in whole words and in any case: the place nearest to the word of that index. The indices count
 * words between blanks, and are off by one in a few examples.
 */
function find(text: string, words: string, index: number): number | undefined {
  const starts = [...text.matchAll(/\S+/g)].map((match) => match.index);
  const near = starts[Math.min(index, starts.length - 1)] ?? 0;
  const escaped = words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const places = [...text.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'giu'))];
  return places
    .map((match) => match.index)
    .sort((first, second) => Math.abs(first - near) - Math.abs(second - near))[0];
}
