import { DataError, type ExampleLayout } from '@dynaprompt/core';
import { PACKAGE_NAME } from '../package-name.js';
import type { TemplatePart } from './template.js';
import type { Tokenizer } from './tokenizer.js';

/** A text, or a pair of texts. */
export interface TextExample {
  /** Names the example in errors. */
  readonly id?: string;
  readonly text: string;
  readonly pair?: string;
  /** Answers of the example's own, in label order, for a head of the kind `choices`. */
  readonly choices?: readonly string[];
}

/** Tokens of one example without a prompt, special tokens included. */
export interface EncodedExample {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  /** Framing and content; a prompt may go anywhere into the content. */
  readonly layout: Omit<ExampleLayout, 'active'>;
  /** Index of the mask token in `ids`, −1 without a template. */
  readonly mask: number;
  /** How many tokens at the end are an answer's; default 0. */
  readonly answered?: number;
}

interface Segment {
  readonly kind: TemplatePart['kind'];
  ids: readonly number[];
  readonly type: number;
}

/**
 * Encodes an example in at most `maximum` tokens. Too long texts are cut at their end, the longer of a pair first; special
 * tokens and the wording of a template are never cut. An empty text is a text, and an empty second text makes a pair.
 * @throws DataError if the example lacks the pair that the template asks for, or a text would be cut to nothing.
 */
export function encodeExample(
  tokenizer: Tokenizer,
  example: TextExample,
  template: readonly TemplatePart[] | undefined,
  maximum: number,
): EncodedExample {
  const hasPair = example.pair !== undefined && template === undefined;
  const frame = hasPair ? tokenizer.pair : tokenizer.single;
  const segments = template
    ? template.map((part, index): Segment => ({
        kind: part.kind,
        ids: partIds(tokenizer, example, part, index > 0),
        type: frame.types.first,
      }))
    : plainSegments(tokenizer, example, hasPair);
  cutToFit(example, segments, maximum - frame.before.length - frame.after.length);

  const ids = [...frame.before];
  const types = frame.before.map(() => frame.types.first);
  let mask = -1;
  for (const segment of segments) {
    if (segment.kind === 'mask') mask = ids.length;
    ids.push(...segment.ids);
    types.push(...segment.ids.map(() => segment.type));
  }
  const content = ids.length - frame.before.length;
  ids.push(...frame.after);
  types.push(...frame.after.map(() => frame.types.after));
  return { ids, types, mask, layout: { before: frame.before.length, content, after: frame.after.length } };
}

function plainSegments(tokenizer: Tokenizer, example: TextExample, hasPair: boolean): Segment[] {
  const { types, between } = hasPair ? tokenizer.pair : tokenizer.single;
  const first: Segment = { kind: 'text', ids: tokenizer.encode(example.text), type: types.first };
  if (!hasPair) return [first];
  const encodePair = between.length > 0 ? tokenizer.encode : tokenizer.encodeNext;
  return [
    first,
    { kind: 'words', ids: between, type: types.between },
    { kind: 'pair', ids: encodePair(example.pair ?? ''), type: types.second },
  ];
}

function partIds(
  tokenizer: Tokenizer,
  example: TextExample,
  part: TemplatePart,
  isBehind: boolean,
): readonly number[] {
  const encode = (text: string): number[] =>
    isBehind ? tokenizer.encodeNext(text) : tokenizer.encodeFirst(text);
  switch (part.kind) {
    case 'words':
      return isBehind && !/^\s/.test(part.words) ? tokenizer.encode(part.words) : encode(part.words);
    case 'text':
      return encode(example.text);
    case 'pair':
      if (example.pair === undefined)
        throw unusable(example, 'the template asks for a pair, and it has none');
      return encode(example.pair);
    case 'mask':
      if (tokenizer.maskId === undefined) throw unusable(example, 'the tokeniser has no mask token');
      return [tokenizer.maskId];
  }
}

/** Shortens text and pair until all segments have `room` tokens together. */
function cutToFit(example: TextExample, segments: readonly Segment[], room: number): void {
  const texts = segments.filter(({ kind }) => kind === 'text' || kind === 'pair');
  const lengths = texts.map(({ ids }) => ids.length);
  const sum = (counts: readonly number[]): number => counts.reduce((left, right) => left + right, 0);
  const fixed = sum(segments.map(({ ids }) => ids.length)) - sum(lengths);
  if (fixed + sum(lengths) <= room) return;
  const kept = balance(lengths, room - fixed);
  if (room < fixed || kept.some((length, index) => length === 0 && lengths[index] !== 0)) {
    throw unusable(example, `${room} tokens leave no room for its text`);
  }
  texts.forEach((segment, index) => (segment.ids = segment.ids.slice(0, kept[index])));
}

/**
 * Cuts the lengths of one or two texts to a sum of `room`, always the longest; what is odd goes to the longer, or to the
 * second of two alike, as in the Rust tokenisers' `longest_first`.
 */
function balance(lengths: readonly number[], room: number): number[] {
  const [first = 0, second] = lengths;
  if (second === undefined) return [room];
  const shorter = Math.min(first, second, Math.floor(room / 2));
  return first <= second ? [shorter, room - shorter] : [room - shorter, shorter];
}

/** Says why an example cannot be used. */
export function unusable(example: TextExample, problem: string): DataError {
  return new DataError({
    packageName: PACKAGE_NAME,
    subject: `example ${example.id ?? `"${example.text.slice(0, 40)}"`}`,
    problem,
    remedy: 'Allow more tokens or fewer prompt slots, or use another template or backbone',
  });
}
