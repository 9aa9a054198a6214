import { describe, expect, it } from '@jest/globals';

import { plainPalette, paletteFor, type PlacedPrompt } from '@dynaprompt/runner';

import { plainInspection } from './format.js';
import { promptedSequence } from './sequence.js';

const read = {
  tokens: ['[CLS]', 'a', 'fine', 'film', '[SEP]'],
  layout: { before: 1, content: 3, after: 1 },
};

/** As one text, with prompt tokens by number. */
function shown(placed: PlacedPrompt | undefined): string {
  return promptedSequence(read, placed)
    .map((part) => (typeof part === 'string' ? part : `p${part.prompt}`))
    .join(' ');
}

const split = { mode: 'split', candidates: 4 } as const;
const insert = { mode: 'insert', candidates: 4 } as const;

describe('promptedSequence', () => {
  it.each([
    [split, 2, 3, '[CLS] p1 p2 a fine film p3 [SEP]'],
    [split, 3, 3, '[CLS] p1 p2 p3 a fine film [SEP]'],
    [split, 0, 2, '[CLS] a fine film p1 p2 [SEP]'],
    [split, 3, 1, '[CLS] p1 a fine film [SEP]'],
    [split, 2, 0, '[CLS] a fine film [SEP]'],
    [insert, 0, 2, '[CLS] p1 p2 a fine film [SEP]'],
    [insert, 2, 1, '[CLS] a fine p1 film [SEP]'],
    [insert, 3, 3, '[CLS] a fine film p1 p2 p3 [SEP]'],
  ])('%j, candidate %d, %d tokens', (position, choice, length, expected) => {
    expect(shown({ position, slots: 3, choice, length })).toBe(expected);
  });

  it('is the tokens alone without a prompt', () => {
    expect(shown(undefined)).toBe('[CLS] a fine film [SEP]');
  });
});

describe('plainInspection', () => {
  const answer = {
    label: 'positive',
    probability: 0.75,
    probabilities: [['negative', 0.25] as const, ['positive', 0.75] as const],
    choice: undefined,
  };
  const placed = { position: split, slots: 3, choice: 2, length: 3, layers: 1, weights: [0.25, 0.75] };
  const inspection = {
    example: { text: 'a  fine\nfilm' },
    answer,
    read,
    prompt: placed,
    sequence: promptedSequence(read, placed),
  };

  it('draws the prompt in place', () => {
    expect(plainInspection(inspection, plainPalette).split('\n')).toEqual([
      'a fine film',
      '  [CLS] ‹p1 p2› a fine film ‹p3› [SEP]',
      '  position    2 of 0…3: prompt tokens before the text: 2, after it: 1',
      '  length      3 of 3 tokens',
      '  pool        entry 1: 0.750, entry 0: 0.250',
      '  prediction  positive 0.7500 (negative 0.2500)',
    ]);
  });

  it('is the same with colours, but for the colours', () => {
    const coloured = plainInspection(inspection, paletteFor({ isTTY: true }, {}));
    expect(coloured).toContain('\u001b[36m‹p1 p2›\u001b[39m');
    // eslint-disable-next-line no-control-regex -- the colours
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(plainInspection(inspection, plainPalette));
  });

  it.each([
    [{ isTTY: false }, {}],
    [{}, {}],
    [{ isTTY: true }, { NO_COLOR: '1' }],
    [{ isTTY: true }, { TERM: 'dumb' }],
  ])('has no colours where they are not wanted: %j %j', (stream, environment) => {
    expect(paletteFor(stream, environment)).toBe(plainPalette);
  });
});
