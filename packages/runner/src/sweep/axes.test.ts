import { describe, expect, it } from '@jest/globals';

import { axesOf, nestedOf, settingsOf, variedOf } from './axes.js';

describe('axesOf', () => {
  it('reads nested and dotted names alike', () => {
    const nested = axesOf({ learningRates: { prompt: [0.1, 0.2] }, steps: 5, limit: null });
    expect([...nested]).toEqual([
      ['learningRates.prompt', [0.1, 0.2]],
      ['steps', [5]],
      ['limit', [null]],
    ]);
    expect(axesOf({ 'learningRates.prompt': [0.1, 0.2], steps: 5, limit: null })).toEqual(nested);
    expect(variedOf(nested)).toEqual(['learningRates.prompt']);
  });
});

describe('settingsOf', () => {
  it('has every combination once', () => {
    const settings = settingsOf(axesOf({ a: [1, 2], b: { c: ['x', 'y', 'z'] }, d: true }));
    const expected: unknown[] = [];
    for (const a of [1, 2]) for (const c of ['x', 'y', 'z']) expected.push({ a, 'b.c': c, d: true });
    expect(settings).toEqual(expected);
  });
});

describe('nestedOf', () => {
  it('puts dotted names back into objects', () => {
    expect(nestedOf({ 'a.b.c': 1, 'a.b.d': 2, 'a.e': null, f: 'g' })).toEqual({
      a: { b: { c: 1, d: 2 }, e: null },
      f: 'g',
    });
  });
});
