import { beforeAll, describe, expect, it } from '@jest/globals';

import { miniBert } from '@dynaprompt/mini-models';
import { type HeadOptions, openExampleTokens, type TextExample } from '@dynaprompt/text';
import { AutoTokenizer, type PreTrainedTokenizer } from '@huggingface/transformers';

import { tokenReaderOf } from '../model/token-reader.js';
import { ownTokens } from './own-tokens.js';

const linear: HeadOptions = { kind: 'linear', classes: 2 };
const words = ['bad', 'good'];
const reserve = 8;
const longest = 128 - reserve;
let tokenizer: PreTrainedTokenizer;
let names: ReadonlyMap<number, string>;

beforeAll(async () => {
  tokenizer = await AutoTokenizer.from_pretrained(miniBert, { local_files_only: true });
  names = new Map([...tokenizer.get_vocab()].map(([token, id]) => [id, token]));
});

/** What the page draws, with a tokeniser that cuts to the room that a wording leaves. */
function drawn({ text, pair }: TextExample, template: string | undefined, room: number) {
  const reader = tokenReaderOf(tokenizer, room);
  const { ids, layout } = ownTokens(reader, reader.whole(text, pair), template);
  return { tokens: ids.map((id) => names.get(id)), layout };
}

describe('ownTokens', () => {
  const endless = { text: 'a very long story without an end '.repeat(40) };

  it.each<[string, TextExample]>([
    ['a text', { text: 'A gorgeous, witty film!' }],
    ['a pair', { text: 'A cat sat.', pair: 'There is a cat' }],
    ['a text that is cut', endless],
    ['words that are unknown', { text: 'naïve 東京 😀 [SEP]' }],
  ])('are what the adapter reads: %s', async (_, example) => {
    const read = await openExampleTokens(miniBert, { head: linear, reserve });
    expect(drawn(example, undefined, longest)).toEqual(read(example));
  });

  it.each<[string, string, TextExample]>([
    ['around a text', 'in short : {text} It was {mask} .', { text: 'a gorgeous film' }],
    ['behind a text', '{text} , {mask}', { text: 'dull' }],
    ['around a pair', '{text} ? {mask} , {pair}', { text: 'a cat sat', pair: 'a cat' }],
    ['beside a pair that it ignores', '{text} {mask}', { text: 'a cat sat', pair: 'a dog' }],
    ['around a text that is cut', 'so : {mask} {text}', endless],
  ])('have the wording of a template %s', async (_, template, example) => {
    const head: HeadOptions = { kind: 'verbalizer', template, words };
    const read = await openExampleTokens(miniBert, { head, reserve });
    const wording = template.split(' ').filter((part) => part !== '{text}' && part !== '{pair}').length;
    expect(drawn(example, template, longest - wording)).toEqual(read(example));
  });
});
