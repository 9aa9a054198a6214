import { expect, it } from '@jest/globals';

import { classWords } from './class-words.js';

it.each<[readonly string[], readonly string[]]>([
  [
    ['animals-nature/animal-bird', 'flags/country-flag', 'golden_retriever'],
    ['animal bird', 'country flag', 'golden retriever'],
  ],
  // One last part for two classes: both keep the rest.
  [
    ['openmoji/food-drink', 'unicode/food-drink', 'tools'],
    ['openmoji food drink', 'unicode food drink', 'tools'],
  ],
  [
    ['a-b', 'a_b', 'c/'],
    ['a-b', 'a_b', 'c'],
  ],
])('%j is said as %j', (classes, words) => {
  expect(classWords(classes)).toEqual(words);
});
