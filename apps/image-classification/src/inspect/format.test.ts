import { describe, expect, it } from '@jest/globals';

import { type InspectedPrompt, plainPalette } from '@dynaprompt/runner';

import { jsonInspection, plainInspection } from './format.js';

const answer = {
  label: 'disc',
  probability: 0.75,
  probabilities: [['disc', 0.75] as const, ['square', 0.25] as const],
  choice: undefined,
};
const prompt: InspectedPrompt = {
  position: { mode: 'split', candidates: 4 },
  slots: 3,
  choice: 2,
  length: 3,
  layers: 1,
  weights: [0.25, 0.75],
};

function lines(changed: Partial<InspectedPrompt>): readonly string[] {
  const inspection = { picture: 'a.png', answer, prompt: { ...prompt, ...changed } };
  return plainInspection(inspection, plainPalette).split('\n');
}

describe('plainInspection', () => {
  it('draws the prompt among the patches', () => {
    expect(lines({})).toEqual([
      'a.png',
      '  ‹p1 p2› patches ‹p3›',
      '  position    2 of 0…3: prompt tokens before the patches: 2, after them: 1',
      '  length      3 of 3 tokens',
      '  pool        entry 1: 0.750, entry 0: 0.250',
      '  prediction  disc 0.7500 (square 0.2500)',
    ]);
    expect(lines({ choice: 0 })[1]).toBe('  patches ‹p1 p2 p3›');
    expect(lines({ choice: 3, length: 1 })[1]).toBe('  ‹p1› patches');
    expect(lines({ length: 0 })[1]).toBe('  patches');
    expect(lines({ choice: 8, length: 9 })[1]).toBe('  ‹p1 … p8› patches ‹p9›');
  });

  it('says of an inserted prompt how many of the patches stand before it', () => {
    const insert = { mode: 'insert', candidates: 5 } as const;
    expect(lines({ position: insert, choice: 1 }).slice(1, 3)).toEqual([
      '  patches ‹p1 p2 p3› patches',
      '  position    1 of 0…4: share of the patches before the prompt: 25 %',
    ]);
    expect(lines({ position: insert, choice: 0 })[1]).toBe('  ‹p1 p2 p3› patches');
    expect(lines({ position: insert, choice: 4 })[1]).toBe('  patches ‹p1 p2 p3›');
  });

  it('shows what both towers of a dual encoder read', () => {
    const sequences = [
      ['[CLS]', { prompt: 1 }, { prompt: 2 }, 'red', 'disc', { prompt: 3 }, '[SEP]'],
      ['[CLS]', { patches: [0, 64] as [number, number] }],
    ];
    const inspection = { picture: 'a.png', answer, prompt, sequences };
    expect(plainInspection(inspection, plainPalette).split('\n').slice(1, 4)).toEqual([
      '  [CLS] ‹p1 p2› red disc ‹p3› [SEP]',
      '  [CLS] 64 patches',
      '  position    2 of 0…3: prompt tokens before the name: 2, after it: 1',
    ]);
    expect(JSON.parse(jsonInspection(inspection))).toMatchObject({ sequences });
  });

  it('says where there is none', () => {
    const text = plainInspection({ picture: 'a.png', answer, prompt: undefined }, plainPalette);
    expect(text).toContain('  patches\n  prompt      none');
  });
});

describe('jsonInspection', () => {
  it('has the choices as numbers', () => {
    expect(JSON.parse(jsonInspection({ picture: 'a.png', answer, prompt }))).toEqual({
      picture: 'a.png',
      label: 'disc',
      probabilities: { disc: 0.75, square: 0.25 },
      prompt: {
        slots: 3,
        length: 3,
        layers: 1,
        position: { mode: 'split', candidates: 4, choice: 2 },
        pool: [0.25, 0.75],
      },
    });
  });
});
