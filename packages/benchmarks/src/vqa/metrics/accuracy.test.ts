import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { answerScores, type AnsweredQuestion, languagePrior, vqaScore, vqaScores } from './accuracy.js';

const soft = { measure: 'soft' } as const;
const asked = (answers: readonly string[], more: Partial<AnsweredQuestion> = {}): AnsweredQuestion => ({
  id: 'val2014/1',
  answers,
  ...more,
});
const times = (count: number, answer: string) => Array<string>(count).fill(answer);

/** The definition, person by person. */
function byDefinition(predicted: string, answers: readonly string[]): number {
  const scores = answers.map((_, left) => {
    const others = answers.filter((_, index) => index !== left);
    return Math.min(others.filter((answer) => answer === predicted).length / 3, 1);
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

describe('vqaScore', () => {
  it('gives 0, 0.3, 0.6, 0.9 and 1 for 0, 1, 2, 3 and more of ten people', () => {
    const scores = Array.from({ length: 11 }, (_, count) =>
      vqaScore('cat', asked([...times(count, 'cat'), ...times(10 - count, 'dog')]), soft),
    );
    [0, 0.3, 0.6, 0.9, 1, 1, 1, 1, 1, 1, 1].forEach((score, count) => {
      expect(scores[count]).toBeCloseTo(score, 12);
    });
  });

  it('is the mean over leaving one person out, for any number of people', () => {
    for (let people = 2; people <= 12; people += 1) {
      for (let count = 0; count <= people; count += 1) {
        const answers = [...times(count, 'cat'), ...times(people - count, 'dog')];
        expect(vqaScore('cat', asked(answers), soft)).toBeCloseTo(byDefinition('cat', answers), 12);
      }
    }
    // Five people, as OK-VQA asked, with every answer there once or twice.
    expect(vqaScore('surf', asked([...times(5, 'surf')]), soft)).toBe(1);
    expect(vqaScore('surf', asked([...times(2, 'surf'), ...times(3, 'swim')]), soft)).toBeCloseTo(8 / 15, 12);
    expect(vqaScore('surf', asked(times(3, 'surf')), soft)).toBeCloseTo(2 / 3, 12);
  });

  it('compares normalised answers on both sides', () => {
    const answers = ['Two', '2', 'the 2.', ...times(7, '3')];
    expect(vqaScore('two', asked(answers), soft)).toBeCloseTo(0.9, 12);
    expect(vqaScore("don't walk", asked([...times(4, 'Dont walk!'), ...times(6, 'go')]), soft)).toBe(1);
  });

  it('takes an empty answer as one like any other', () => {
    expect(vqaScore('', asked([...times(2, ''), ...times(8, 'cat')]), soft)).toBeCloseTo(0.6, 12);
    expect(vqaScore('', asked(times(10, 'cat')), soft)).toBe(0);
    expect(vqaScore('the', asked([...times(4, ''), ...times(6, 'cat')]), soft)).toBe(1);
  });

  it('compares unanimous answers as they stand only where that is asked for', () => {
    const unanimous = asked(times(10, 'the dog'));
    expect(vqaScore('dog', unanimous, soft)).toBe(1);
    expect(vqaScore('dog', unanimous, { ...soft, unanimous: 'verbatim' })).toBe(0);
    expect(vqaScore(' the dog\n', unanimous, { ...soft, unanimous: 'verbatim' })).toBe(1);
    const divided = asked([...times(9, 'the dog'), 'cat']);
    expect(vqaScore('dog', divided, { ...soft, unanimous: 'verbatim' })).toBe(1);
  });

  it('compares a single answer as it is', () => {
    expect(vqaScore('The Dog', asked(['dog']), soft)).toBe(1);
    expect(vqaScore('The Dog', asked(['dog']), { measure: 'exact' })).toBe(0);
    expect(vqaScore('T-Shirt', asked(['t-shirt']), { measure: 'exact' })).toBe(1);
    expect(vqaScore('t shirt', asked(['t-shirt']), { measure: 'exact' })).toBe(0);
  });

  it('refuses a question whose answers are hidden', () => {
    expect(() => vqaScore('cat', asked([]), soft)).toThrow(DataError);
    expect(() => vqaScore('cat', asked([]), soft)).toThrow(/question val2014\/1: it has no answers/);
  });
});

describe('answerScores', () => {
  it('scores every distinct answer as if it were given', () => {
    const answers = ['Two', '2', 'three', ...times(7, '4')];
    const scores = answerScores(answers, 'soft');
    expect([...scores.keys()]).toEqual(['2', '3', '4']);
    for (const [answer, score] of scores) expect(score).toBe(vqaScore(answer, asked(answers), soft));
  });
});

describe('vqaScores', () => {
  const examples = [
    asked(times(10, 'yes'), { questionType: 'is the', answerType: 'yes/no', group: 'seen' }),
    asked([...times(7, 'no'), ...times(3, 'yes')], {
      questionType: 'is the',
      answerType: 'yes/no',
      group: 'held-out',
    }),
    asked([...times(9, '2'), '3'], { questionType: 'how many', answerType: 'number', group: 'seen' }),
    asked(times(10, 'red'), { answerType: 'other' }),
  ];

  it('averages over all questions and over each type and group', () => {
    const scores = vqaScores(['yes', 'yes', 'three', 'blue'], examples, soft);
    expect(scores.overall).toBeCloseTo((1 + 0.9 + 0.3 + 0) / 4, 12);
    expect(scores.count).toBe(4);
    expect(scores.byQuestionType).toEqual([
      { name: 'how many', count: 1, score: expect.closeTo(0.3, 12) },
      { name: 'is the', count: 2, score: expect.closeTo(0.95, 12) },
    ]);
    expect(
      scores.byAnswerType.map(({ name, count, score }) => [name, count, Math.round(score * 1e6)]),
    ).toEqual([
      ['number', 1, 300_000],
      ['other', 1, 0],
      ['yes/no', 2, 950_000],
    ]);
    expect(scores.byGroup.map(({ name, count, score }) => [name, count, Math.round(score * 1e6)])).toEqual([
      ['held-out', 1, 900_000],
      ['seen', 2, 650_000],
    ]);
  });

  it('refuses another number of predictions, and none', () => {
    expect(() => vqaScores(['yes'], examples, soft)).toThrow(/there are 1 for 4 questions/);
    expect(() => vqaScores([], [], soft)).toThrow(DataError);
  });
});

describe('languagePrior', () => {
  it('guesses the best training answer of the question type, of all types for an unknown one', () => {
    const train = [
      asked(times(10, 'Two'), { questionType: 'how many' }),
      asked([...times(6, '2'), ...times(4, '3')], { questionType: 'how many' }),
      asked(times(10, '3'), { questionType: 'how many' }),
      asked(times(10, 'no'), { questionType: 'is the' }),
      asked(times(10, '3'), { questionType: 'which' }),
    ];
    // Sums for "how many": 2 → 1 + 1, 3 → 1 + 1, so the first in order; over all 3 → 1 + 1 + 1.
    const examples = [
      asked(times(10, '2'), { questionType: 'how many' }),
      asked(times(10, 'yes'), { questionType: 'is the' }),
      asked(times(10, '3'), { questionType: 'never seen' }),
    ];
    expect(languagePrior(train, examples, soft).overall).toBeCloseTo(2 / 3, 12);
    expect(languagePrior(train, examples, soft).byQuestionType).toEqual([
      { name: 'how many', count: 1, score: 1 },
      { name: 'is the', count: 1, score: 0 },
      { name: 'never seen', count: 1, score: 1 },
    ]);
  });
});
