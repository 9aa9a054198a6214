import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@dynaprompt/core';
import { answerVocabulary, softTargets, vocabularyCeiling, vocabularyOf } from './vocabulary.js';

const times = (count: number, answer: string) => Array<string>(count).fill(answer);
const train = [
  { answers: [...times(9, 'Two'), 'three'] }, // 2: 1, 3: 0.3
  { answers: [...times(8, 'red'), ...times(2, 'the 2')] }, // red: 1, 2: 0.6
  { answers: [...times(5, 'three'), ...times(4, 'blue'), ''] }, // 3: 1, blue: 1
];
const options = { measure: 'soft', seed: 1 } as const;

describe('answerVocabulary', () => {
  it('takes the answers with the highest sums of scores in their normalised form', () => {
    const { answers, indexOf } = answerVocabulary(train, options);
    expect(answers.slice(0, 2)).toEqual(['2', '3']);
    expect(new Set(answers)).toEqual(new Set(['2', '3', 'red', 'blue']));
    expect(indexOf('The two.')).toBe(0);
    expect(indexOf('green')).toBeUndefined();
    expect(answerVocabulary(train, { ...options, size: 2 }).answers).toEqual(['2', '3']);
  });

  it('orders equal answers by seed alone', () => {
    const tied = Array.from({ length: 8 }, (_, index) => ({ answers: times(10, `word${index}`) }));
    const first = answerVocabulary(tied, options).answers;
    expect(answerVocabulary([...tied].reverse(), options).answers).toEqual(first);
    const others = [2, 3, 4].map((seed) => answerVocabulary(tied, { ...options, seed }).answers.join());
    expect(new Set([...others, first.join()]).size).toBe(4);
    // 0.3 + 0.6 is not 0.9 in binary, and still a tie.
    const thirds = [
      { answers: ['x', ...times(9, 'rest')] },
      { answers: ['x', 'x', ...times(8, 'rest')] },
      { answers: ['y', 'y', 'y', ...times(7, 'rest')] },
    ];
    const seconds = Array.from(
      { length: 20 },
      (_, seed) => answerVocabulary(thirds, { ...options, seed }).answers[1],
    );
    expect(new Set(seconds)).toEqual(new Set(['x', 'y']));
  });

  it('keeps answers of exact data as they stand', () => {
    const { answers } = answerVocabulary([{ answers: ['T-shirt'] }], { measure: 'exact', seed: 1 });
    expect(answers).toEqual(['t-shirt']);
  });

  it('refuses what makes no vocabulary', () => {
    expect(() => answerVocabulary(train, { ...options, size: 0 })).toThrow(ConfigurationError);
    expect(() => answerVocabulary([{ answers: [] }, { answers: ['the'] }], options)).toThrow(
      /no question has an answer/,
    );
    expect(() => vocabularyOf(['two', '2'], 'soft')).toThrow(/two of its answers are the same/);
    expect(() => vocabularyOf([], 'soft')).toThrow(/it is empty/);
  });
});

describe('softTargets', () => {
  it('are the scores of giving each answer of the vocabulary', () => {
    const vocabulary = vocabularyOf(['red', 'blue', '2'], 'soft');
    const answers = [...times(3, 'Blue'), 'two', ...times(6, 'green')];
    expect([...softTargets({ answers }, vocabulary)]).toEqual([0, 0.9, 0.3].map(Math.fround));
    expect([...softTargets({ answers: [] }, vocabulary)]).toEqual([0, 0, 0]);
  });
});

describe('vocabularyCeiling', () => {
  it('is what an oracle with this vocabulary scores', () => {
    const vocabulary = vocabularyOf(['2', 'blue'], 'soft');
    // 1, 0.6, 1
    expect(vocabularyCeiling(train, vocabulary)).toBeCloseTo(2.6 / 3, 6);
  });
});
