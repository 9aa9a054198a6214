import { describe, expect, it } from '@jest/globals';

import { thinned } from './curve.js';

const points = Array.from({ length: 10 }, (_, index) => ({ step: index + 1, value: index }));

describe('thinned', () => {
  it('leaves a short curve alone', () => {
    expect(thinned(points, 10)).toEqual(points);
    expect(thinned([])).toEqual([]);
  });

  it('takes means of steps that follow each other', () => {
    expect(thinned(points, 4)).toEqual([
      { step: 3, value: 1 },
      { step: 6, value: 4 },
      { step: 9, value: 7 },
      { step: 10, value: 9 },
    ]);
  });
});
