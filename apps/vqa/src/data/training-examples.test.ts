import { expect, it } from '@jest/globals';

import { vocabularyOf } from '@dynaprompt/benchmarks';

import { scoredExample, trainingExample } from './training-examples.js';

const vocabulary = vocabularyOf(['yes', 'cat', 'tiger'], 'soft');

function asked(answers: readonly string[]): Parameters<typeof scoredExample>[0] {
  const image = { kind: 'bytes', bytes: new Uint8Array() } as const;
  return { id: 'q', question: 'what?', questionId: '1', imageId: '1', answers, image };
}

const repeated = (answer: string, times: number): string[] => new Array<string>(times).fill(answer);

it('pays what people agreed on, and trains the most rewarding answer', () => {
  // 0.3, 0.6, 0.9 for one, two and three of ten people, all for more (Goyal et al. 2017); dogs are not in the vocabulary.
  const answers = [...repeated('Tiger', 3), ...repeated('a cat', 2), 'yes', ...repeated('dog', 4)];
  const made = trainingExample(asked(answers), vocabulary);
  expect(made?.label).toBe(2);
  const credits = [...(made?.credits ?? [])].sort(([left], [right]) => left - right);
  expect(credits.map(([label]) => label)).toEqual([0, 1, 2]);
  [0.3, 0.6, 0.9].forEach((credit, index) => {
    expect(credits[index]?.[1]).toBeCloseTo(credit, 12);
  });
});

it('leaves a question out of training where nothing can be said, and scores whatever is said as wrong', () => {
  const unanswerable = asked(repeated('dog', 10));
  expect(trainingExample(unanswerable, vocabulary)).toBeUndefined();
  expect(scoredExample(unanswerable, vocabulary)).toMatchObject({ label: 0, credits: new Map() });
});

it('takes the more usual of equally rewarding answers', () => {
  expect(scoredExample(asked([...repeated('tiger', 5), ...repeated('cat', 5)]), vocabulary).label).toBe(1);
});
