import { describe, expect, it } from '@jest/globals';

import { editDistance, nearestName } from './suggestion.js';

describe('editDistance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['saturday', 'sunday', 3],
    ['', 'abc', 3],
    ['same', 'same', 0],
  ])('%s to %s is %d', (first, second, distance) => {
    expect(editDistance(first, second)).toBe(distance);
    expect(editDistance(second, first)).toBe(distance);
  });
});

describe('nearestName', () => {
  it('finds what was meant, and nothing where nothing is near', () => {
    const known = ['learningRates.prompt', 'learningRates.head', 'steps'];
    expect(nearestName('learningrate.prompt', known)).toBe('learningRates.prompt');
    expect(nearestName('step', known)).toBe('steps');
    expect(nearestName('zzzz', known)).toBeUndefined();
  });
});
