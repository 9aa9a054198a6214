import { describe, expect, it } from '@jest/globals';

import { type LabelledDataset, tasks } from '@dynaprompt/benchmarks';
import { ConfigurationError } from '@dynaprompt/core';

import { headKindsOf, headOf } from './head.js';
import { trainingExample } from './training-example.js';

const base: LabelledDataset = {
  name: 'task',
  description: '',
  license: '',
  source: '',
  answer: 'class',
  labels: ['a', 'b', 'c'],
  train: [],
  validation: [],
  metric: 'accuracy',
};
const example = { id: '1', text: 'It fell so', label: 0 };
const similarity = { ...base, answer: 'number', labels: [] } as const;
const choice: LabelledDataset = {
  ...base,
  answer: 'candidate',
  labels: [],
  train: [{ ...example, candidates: ['x', 'y'] }],
  validation: [{ ...example, candidates: ['x', 'y', 'z', 'w'] }],
  prompt: { template: '{text}', words: [] },
};

describe('headOf', () => {
  it.each([
    ['linear', base, { kind: 'linear', classes: 3 }],
    ['linear', { ...similarity, range: [0, 5] }, { kind: 'regression', range: [0, 5] }],
    [
      'linear',
      { ...similarity, train: [3, -1, 7].map((target) => ({ ...example, target })) },
      { kind: 'regression', range: [-1, 7] },
    ],
    ['linear', choice, { kind: 'candidates', classes: 4 }],
    ['verbalizer', choice, { kind: 'choices', template: '{text}', classes: 4 }],
  ] as const)('%s of %j', (kind, data, head) => {
    expect(headOf(kind, data)).toEqual(head);
  });

  it.each([
    [base, /no wording/],
    [similarity, /no word is a number/],
  ])('refuses a verbaliser for %j', (data, message) => {
    expect(() => headOf('verbalizer', data)).toThrow(message);
    expect(() => headOf('verbalizer', data)).toThrow(ConfigurationError);
  });

  it('has a trained head for every task', () => {
    for (const task of tasks) expect(headKindsOf(task).linear).toBeDefined();
  });
});

describe('trainingExample', () => {
  it('has the number, or the candidates as texts with all that are right', () => {
    expect(trainingExample({ ...example, target: 2.5 })).toMatchObject({ label: 0, target: 2.5 });
    const statement = {
      ...example,
      pair: '@placeholder left.',
      candidates: ['Ann', 'Bob', 'Ann Lee'],
      answers: ['Ann', 'Ann Lee'],
    };
    expect(trainingExample(statement)).toMatchObject({
      id: '1',
      label: 0,
      alsoRight: [2],
      example: { text: 'It fell so', choices: ['Ann left.', 'Bob left.', 'Ann Lee left.'] },
    });
    expect(trainingExample(example)).toEqual({ id: '1', label: 0, example });
  });
});
