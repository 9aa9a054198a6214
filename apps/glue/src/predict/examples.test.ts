import { describe, expect, it } from '@jest/globals';

import { DataError } from '@dynaprompt/core';
import type { TextExample } from '@dynaprompt/text';
import type { Adapter } from '@dynaprompt/training';

import { lineReader, separatorOf } from './examples.js';

function adapterFor(name: string, template?: string): Pick<Adapter, 'task' | 'head'> {
  const options = template === undefined ? {} : { template, words: ['no', 'yes'] };
  return { task: { name, metric: 'accuracy' }, head: { kind: 'any', classes: 2, labels: [], options } };
}

describe('separatorOf', () => {
  it.each([
    ['rte', undefined, undefined, '\t'],
    ['rte', undefined, '|', '|'],
    ['wic', undefined, undefined, '\t'],
    ['multirc', undefined, undefined, '\t'],
    ['sst2', undefined, undefined, undefined],
    ['tsv', undefined, undefined, undefined],
    ['tsv', undefined, ' / ', ' / '],
    ['of my own', undefined, undefined, undefined],
    ['of my own', '{text} {mask} {pair}', undefined, '\t'],
    ['stsb', undefined, undefined, '\t'],
  ])('of task %s, template %s, asked for %j, is %j', (task, template, wanted, expected) => {
    expect(separatorOf(adapterFor(task, template), wanted)).toBe(expected);
  });

  it.each(['candidates', 'choices'])('of a head of the kind %s stands before each candidate', (kind) => {
    const { task, head } = adapterFor('copa', '{text}');
    expect(separatorOf({ task, head: { ...head, kind } }, undefined)).toBe('\t');
    expect(separatorOf({ task, head: { ...head, kind } }, '|')).toBe('|');
  });

  it('refuses one for single texts', () => {
    expect(() => separatorOf(adapterFor('sst2'), '|')).toThrow('a task on single texts');
    expect(() => separatorOf(adapterFor('of my own', '{text} {mask}'), '|')).toThrow('--pair-separator');
  });
});

describe('lineReader', () => {
  const backbone = {
    lengthOf({ text }: { readonly text: string }): number {
      if (text !== 'unusable') return text.length;
      const [packageName, subject, remedy] = ['text', 'example', 'Change it'];
      throw new DataError({ packageName, subject, problem: 'it has no token', remedy });
    },
  };

  it.each([
    [undefined, 'a\tb', { text: 'a\tb' }],
    ['\t', 'a\tb', { text: 'a', pair: 'b' }],
    [' | ', 'a | b|c', { text: 'a', pair: 'b|c' }],
  ])('cuts at %j: %j', (separator, text, example) => {
    const reading = lineReader('films.txt', separator, backbone)({ number: 7, text });
    expect(reading.example).toEqual({ id: 'films.txt line 7', ...example });
  });

  it.each([
    [undefined, ' ', 'it is empty'],
    ['\t', '\t', 'it is empty'],
    ['\t', 'a', 'it has 0 separators "\\t" where a pair has 1'],
    ['\t', 'a\tb\tc', 'it has 2 separators "\\t" where a pair has 1'],
    ['\t', 'a\t', 'one text of the pair is empty'],
    [undefined, 'unusable', 'it has no token'],
  ])('says what is wrong, separator %j: %j', (separator, text, problem) => {
    expect(lineReader('films.txt', separator, backbone)({ number: 1, text })).toMatchObject({ problem });
  });

  it('takes what follows the text for candidates', () => {
    const most = { ...backbone, candidatesOf: ({ choices = [] }: TextExample) => few(choices) };
    const few = (choices: readonly string[]): TextExample[] => {
      if (choices.length < 3) return [];
      const [packageName, subject, remedy] = ['text', 'example', 'Give fewer'];
      throw new DataError({ packageName, subject, problem: 'it has 3 choices', remedy });
    };
    const read = lineReader('a.txt', '\t', most, true);
    expect(read({ number: 2, text: 'It fell so\tit broke.\tit flew.' }).example).toEqual({
      id: 'a.txt line 2',
      text: 'It fell so',
      choices: ['it broke.', 'it flew.'],
    });
    const problems = ['It fell so', '\tit broke.', 'It fell\t ', 'It\ta\tb\tc'].map(
      (text) => read({ number: 1, text }).problem,
    );
    expect(problems).toEqual([
      'no candidates follow its text',
      'it is empty',
      'one of its candidates is empty',
      'it has 3 choices',
    ]);
  });
});
