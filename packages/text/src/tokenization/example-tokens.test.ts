import { beforeAll, describe, expect, it } from '@jest/globals';
import { AutoTokenizer, type PreTrainedTokenizer } from '@huggingface/transformers';
import { miniBert } from '@dynaprompt/mini-models';
import type { TextExample } from './encode.js';
import { openExampleTokens } from './example-tokens.js';

describe('openExampleTokens', () => {
  const linear = { kind: 'linear', classes: 2 } as const;
  let reference: PreTrainedTokenizer;
  beforeAll(async () => {
    reference = await AutoTokenizer.from_pretrained(miniBert, { local_files_only: true });
  });
  const expected = ({ text, pair }: TextExample): string[] =>
    reference.tokenize(text, { add_special_tokens: true, ...(pair === undefined ? {} : { pair }) });

  it.each<TextExample>([
    { text: '' },
    { text: 'The movie was GREAT, really!' },
    { text: 'unbelievable 3.14 naïve café 東京 😀' },
    { text: 'A cat sat.', pair: 'Did it?' },
  ])('gives the tokens that the tokeniser itself gives: %j', async (example) => {
    const read = await openExampleTokens(miniBert, { head: linear, reserve: 4 });
    const { tokens, layout } = read(example);
    expect(tokens).toEqual(expected(example));
    expect(layout).toEqual({ before: 1, content: tokens.length - 2, after: 1 });
  });

  it('cuts a text as the backbone does, and puts it into the wording of a head', async () => {
    const template = '{text} It was {mask} .';
    const head = { kind: 'verbalizer', template, words: ['bad', 'good'] } as const;
    const read = await openExampleTokens(miniBert, { head, reserve: 4, maximumTokens: 8 });
    const tokens = ['[CLS]', 'a', 'fine', 'it', 'was', '[MASK]', '.', '[SEP]'];
    expect(read({ text: 'a fine film' }).tokens).toEqual(tokens);
  });

  it('refuses what the backbone refuses', async () => {
    const folder = openExampleTokens('./nowhere', { head: linear, reserve: 4 });
    await expect(folder).rejects.toThrow('no such folder');
    await expect(openExampleTokens(miniBert, { head: linear, reserve: 1000 })).rejects.toThrow('1000 slots');
    const head = { kind: 'verbalizer', template: '{text} {pair} {mask}', words: ['bad', 'good'] } as const;
    const read = await openExampleTokens(miniBert, { head, reserve: 4 });
    expect(() => read({ text: 'alone' })).toThrow('asks for a pair');
  });
});
