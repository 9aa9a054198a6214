import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@dynaprompt/core';
import { parseTemplate } from './template.js';

describe('parseTemplate', () => {
  it('splits a wording into words and places', () => {
    expect(parseTemplate('{text} ? {mask} , {pair}')).toEqual([
      { kind: 'text' },
      { kind: 'words', words: ' ? ' },
      { kind: 'mask' },
      { kind: 'words', words: ' , ' },
      { kind: 'pair' },
    ]);
  });

  it.each([
    ['It was {mask} .', /\{text\} has to stand in it once/],
    ['{text} {text} {mask}', /\{text\} has to stand in it once/],
    ['{text} It was good .', /\{mask\} has to stand in it once/],
    ['{text} {mask} {mask}', /\{mask\} has to stand in it once/],
    ['{text} {pair} {mask} {pair}', /\{pair\} stands in it more than once/],
    ['{text} {mask} {label}', /\{label\} is no place/],
    ['{text} {mask} {}', /\{\} is no place/],
    ['', /\{text\}/],
  ])('refuses %j', (template, message) => {
    const parse = (): unknown => parseTemplate(template);
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(message);
  });
});
