import { expect, it } from '@jest/globals';

import { baseToNovel } from './base-to-novel.js';
import type { ScoredDataset } from './load-data.js';

/** Two pictures of each class, one to train on and one to score. */
function data(classes: readonly string[]): ScoredDataset {
  const pictures = (part: string) =>
    classes.map((name, label) => ({
      id: `${part} ${name}`,
      label,
      image: { kind: 'file' as const, path: name },
    }));
  return {
    name: 'letters',
    description: 'Letters.',
    license: '',
    source: '',
    classes,
    faults: { count: 0, first: [] },
    train: pictures('train'),
    validation: pictures('score'),
  };
}

const idsOf = (pictures: readonly { readonly id: string; readonly label: number }[]) =>
  pictures.map(({ id, label }) => [id, label]);

it('trains on the first half of the classes and sets the pictures of the others apart', () => {
  const { classes, train, validation, novel, description } = baseToNovel(data(['a', 'b', 'c', 'd', 'e']));
  expect(classes).toEqual(['a', 'b', 'c']);
  expect(idsOf(train)).toEqual([
    ['train a', 0],
    ['train b', 1],
    ['train c', 2],
  ]);
  expect(idsOf(validation).map(([id]) => id)).toEqual(['score a', 'score b', 'score c']);
  expect(novel?.classes).toEqual(['d', 'e']);
  expect(idsOf(novel?.examples ?? [])).toEqual([
    ['score d', 0],
    ['score e', 1],
  ]);
  expect(description).toContain('first 3 of 5 classes');
});

it('refuses what has not two classes in each half', () => {
  expect(() => baseToNovel(data(['a', 'b', 'c']))).toThrow('letters has 3 classes');
  expect(baseToNovel(data(['a', 'b', 'c', 'd'])).novel?.classes).toEqual(['c', 'd']);
});
