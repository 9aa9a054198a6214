import { beforeAll, describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { miniBert } from '@dynaprompt/mini-models';
import fc from 'fast-check';
import { encodeExample, type EncodedExample, type TextExample } from './encode.js';
import { parseTemplate } from './template.js';
import { loadTokenizer, type Tokenizer } from './tokenizer.js';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(miniBert);
});

const START = 2;
const END = 3;
const words = (word: string, count: number): string => new Array<string>(count).fill(word).join(' ');

function encode(example: TextExample, maximum: number, template?: string): EncodedExample {
  return encodeExample(
    tokenizer,
    example,
    template === undefined ? undefined : parseTemplate(template),
    maximum,
  );
}

/** Tokens of each part of a pair, without special tokens. */
function parts({ ids }: EncodedExample): [readonly number[], readonly number[]] {
  const middle = ids.indexOf(END);
  return [ids.slice(1, middle), ids.slice(middle + 1, -1)];
}

describe('truncation', () => {
  it('leaves what fits exactly, and cuts one more token at its end', () => {
    const seven = tokenizer.encode('the movie was not very good today');
    expect(seven).toHaveLength(7);
    const example = { text: 'the movie was not very good today' };
    expect(encode(example, 9).ids).toEqual([START, ...seven, END]);
    expect(encode(example, 8).ids).toEqual([START, ...seven.slice(0, 6), END]);
    expect(encode(example, 8).layout).toEqual({ before: 1, content: 6, after: 1 });
  });

  it('cuts the longer text of a pair first', () => {
    const long = { text: words('good', 10), pair: words('bad', 3) };
    expect(parts(encode(long, 12)).map(({ length }) => length)).toEqual([6, 3]);
    const turned = { text: words('good', 3), pair: words('bad', 10) };
    expect(parts(encode(turned, 12)).map(({ length }) => length)).toEqual([3, 6]);
  });

  it('cuts both alike once they are as long as each other, the odd token to the longer', () => {
    expect(
      parts(encode({ text: words('good', 10), pair: words('bad', 8) }, 14)).map((ids) => ids.length),
    ).toEqual([6, 5]);
    expect(
      parts(encode({ text: words('good', 9), pair: words('bad', 9) }, 14)).map((ids) => ids.length),
    ).toEqual([5, 6]);
  });

  it('keeps frames, token types and beginnings, and uses all of the room, whatever the lengths', () => {
    const anyLength = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(anyLength, anyLength, fc.integer({ min: 5, max: 70 }), (first, second, maximum) => {
        const encoded = encode({ text: words('good', first), pair: words('bad', second) }, maximum);
        const [left, right] = parts(encoded);
        expect(encoded.ids).toHaveLength(Math.min(maximum, first + second + 3));
        expect([encoded.ids[0], encoded.ids.at(-1)]).toEqual([START, END]);
        expect(new Set(left)).toEqual(new Set(tokenizer.encode('good')));
        expect(new Set(right)).toEqual(new Set(tokenizer.encode('bad')));
        expect(encoded.types).toEqual([
          ...new Array<number>(left.length + 2).fill(0),
          ...new Array<number>(right.length + 1).fill(1),
        ]);
        // A text is only ever cut down to the other's length.
        if (left.length < first) expect(left.length).toBeGreaterThanOrEqual(right.length - 1);
        if (right.length < second) expect(right.length).toBeGreaterThanOrEqual(left.length - 1);
        expect(encoded.layout).toEqual({ before: 1, content: left.length + right.length + 1, after: 1 });
      }),
      { seed: 2 },
    );
  });

  it('cuts very long pairs in a moment', () => {
    const start = performance.now();
    const text = words('good', 30_000);
    encode({ text, pair: text }, 100);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('refuses to cut a text to nothing', () => {
    const pair = { id: 'sentence 3', text: 'good', pair: 'bad' };
    expect(encode(pair, 5).ids).toHaveLength(5);
    expect(() => encode(pair, 4)).toThrow(DataError);
    expect(() => encode(pair, 4)).toThrow(/sentence 3.*no room/);
    expect(() => encode({ text: '' }, 1)).toThrow(DataError);
  });
});

describe('templates', () => {
  it('put words, texts and mask in their order, and know where the mask stands', () => {
    const { ids, mask, types, layout } = encode(
      { text: 'good', pair: 'bad' },
      99,
      '{pair} ? {mask} , {text} .',
    );
    expect(ids).toEqual([START, ...tokenizer.encode(`bad ? [MASK] , good .`), END]);
    expect(ids[mask]).toBe(tokenizer.maskId);
    expect(new Set(types)).toEqual(new Set([0]));
    expect(layout).toEqual({ before: 1, content: ids.length - 2, after: 1 });
  });

  it('find their own mask where the text holds one too', () => {
    const { ids, mask } = encode({ text: 'a [MASK] film' }, 99, '{text} It was {mask} .');
    expect(mask).toBe(6);
    expect(ids.filter((id) => id === tokenizer.maskId)).toHaveLength(2);
  });

  it('are never cut, only the text is', () => {
    const template = 'Well , {text} It was {mask} .';
    const short = encode({ text: words('good', 50) }, 12, template);
    expect(short.ids).toEqual([
      START,
      ...tokenizer.encode(`Well , ${words('good', 4)} It was [MASK] .`),
      END,
    ]);
    expect(short.ids[short.mask]).toBe(tokenizer.maskId);
    const [cut, whole] = [9, 8].map((maximum) => () => encode({ text: 'good good' }, maximum, template));
    expect(cut?.().ids).toHaveLength(9);
    expect(whole).toThrow(DataError);
  });

  it('cut the longer of text and pair first', () => {
    const { ids } = encode({ text: words('good', 9), pair: words('bad', 3) }, 11, '{text} ? {mask} {pair}');
    expect(ids).toEqual([START, ...tokenizer.encode(`${words('good', 4)} ? [MASK] ${words('bad', 3)}`), END]);
  });

  it('take an empty text', () => {
    expect(encode({ text: '' }, 99, '{text} It was {mask} .').ids).toEqual([
      START,
      ...tokenizer.encode('It was [MASK] .'),
      END,
    ]);
  });

  it('miss a pair that is not there, naming the example', () => {
    const template = '{text} ? {mask} , {pair}';
    expect(() => encode({ id: 'line 7', text: 'good' }, 99, template)).toThrow(DataError);
    expect(() => encode({ id: 'line 7', text: 'good' }, 99, template)).toThrow(/line 7.*pair/);
    expect(() => encode({ text: 'good and long' }, 99, template)).toThrow(/"good and long"/);
  });
});
