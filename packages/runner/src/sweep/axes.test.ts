import { describe, expect, it } from '@jest/globals';

import { axesOf, nestedOf, settingsOf, settingsOfCases, variedOf } from './axes.js';

describe('axesOf', () => {
  it('reads nested and dotted names alike', () => {
    const nested = axesOf({ learningRates: { prompt: [0.1, 0.2] }, steps: 5, limit: null });
    expect([...nested]).toEqual([
      ['learningRates.prompt', [0.1, 0.2]],
      ['steps', [5]],
      ['limit', [null]],
    ]);
    expect(axesOf({ 'learningRates.prompt': [0.1, 0.2], steps: 5, limit: null })).toEqual(nested);
    expect(variedOf(settingsOf(nested))).toEqual(['learningRates.prompt']);
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

describe('settingsOfCases', () => {
  it('crosses each case with what all have in common, its own values first', () => {
    const settings = settingsOfCases({ a: [1, 2], b: { c: 'x' }, d: true }, [
      { b: { c: 'y' } },
      { e: [3, 4], a: 5 },
    ]);
    expect(settings).toEqual([
      { a: 1, 'b.c': 'y', d: true },
      { a: 2, 'b.c': 'y', d: true },
      { a: 5, 'b.c': 'x', d: true, e: 3 },
      { a: 5, 'b.c': 'x', d: true, e: 4 },
    ]);
    expect(variedOf(settings)).toEqual(['a', 'b.c', 'e']);
  });

  it('is the plain crossing without cases', () => {
    const options = { a: [1, 2], b: 3 };
    expect(settingsOfCases(options)).toEqual(settingsOf(axesOf(options)));
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
