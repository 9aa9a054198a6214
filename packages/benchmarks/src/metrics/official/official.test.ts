import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, DataError } from '@dynaprompt/core';
import type { LabelledExample } from '../../datasets/types.js';
import { glueAverage, superGlueAverage } from './averages.js';
import { genderParity } from './gender-parity.js';
import { multiRcScores } from './multirc.js';
import { normalizeAnswer, recordScores, tokenF1 } from './record.js';
import { scoreTask } from './score-task.js';

/** Examples with these labels, one for each, and with these groups where given. */
function examplesOf(labels: readonly number[], groups?: readonly string[]): readonly LabelledExample[] {
  return labels.map((label, index) => ({
    id: `${index}`,
    text: '',
    label,
    ...(groups?.[index] === undefined ? {} : { group: groups[index] }),
  }));
}

describe('multiRcScores', () => {
  // Question a: right 1 0 1, judged 1 1 0: precision 1/2, recall 1/2, not exact.
  // Question b: right 0 1, judged 0 1: precision 1, recall 1, exact.
  // Question c: right 1 1 0, judged 0 0 0: precision 1 (nothing judged right), recall 0, not exact.
  // Question d: right 0 0, judged 0 1: precision 0, recall 1 (nothing right), not exact.
  const groups = ['a', 'b', 'a', 'c', 'a', 'b', 'c', 'c', 'd', 'd'];
  const truth = [1, 0, 0, 1, 1, 1, 1, 0, 0, 0];
  const judged = [1, 0, 1, 0, 0, 1, 0, 0, 0, 1];

  it('agrees with a computation by hand', () => {
    const scores = multiRcScores(judged, examplesOf(truth, groups));
    // Over all answers: 4 judged right (of a 2, of b 1, of d 1), 5 right, 2 both: F1 = 4/9.
    expect(scores.f1Answers).toBeCloseTo(4 / 9, 14);
    // Means: precision (1/2 + 1 + 1 + 0) / 4 = 5/8, recall (1/2 + 1 + 0 + 1) / 4 = 5/8.
    expect(scores.f1Questions).toBeCloseTo(5 / 8, 14);
    expect(scores.exactMatch).toBe(1 / 4);
    // Judged as they are: the first of a, both of b, the third of c, the first of d: 5 of 10.
    expect(scoreTask('multirc', judged, examplesOf(truth, groups))).toEqual({
      score: (scores.f1Answers + scores.exactMatch) / 2,
      measures: {
        'f1-answers': scores.f1Answers,
        'exact-match-questions': 1 / 4,
        'f1-questions': scores.f1Questions,
        accuracy: 1 / 2,
      },
    });
  });

  it('has the harmonic mean of mean precision and mean recall, not the mean of F1', () => {
    // Question a: precision 1, recall 1/2; b: precision 1/2, recall 1. Means 3/4 and 3/4; the mean of F1 would be 2/3.
    const scores = multiRcScores([1, 0, 1, 1], examplesOf([1, 1, 1, 0], ['a', 'a', 'b', 'b']));
    expect(scores.f1Questions).toBeCloseTo(3 / 4, 14);
  });

  it('is 1 for the truth, and needs groups and as many predictions', () => {
    expect(multiRcScores(truth, examplesOf(truth, groups))).toEqual({
      f1Answers: 1,
      f1Questions: 1,
      exactMatch: 1,
    });
    expect(() => multiRcScores([1], examplesOf([1]))).toThrow(/example 0: it has no group/);
    expect(() => multiRcScores([1], examplesOf(truth, groups))).toThrow(DataError);
  });
});

describe('recordScores', () => {
  it.each([
    ['The  U.S. Army,', 'us army'],
    ['An apple a day', 'apple day'],
    ['Theatre', 'theatre'],
    ['“Ann”', '“ann”'],
    ['A', ''],
  ])('normalises %p to %p', (text, normal) => {
    expect(normalizeAnswer(text)).toBe(normal);
  });

  it('counts shared words as often as both have them', () => {
    // new york new / new york city: 2 common of 3 and 3.
    expect(tokenF1('New York, New', 'New York City')).toBeCloseTo(2 / 3, 14);
    // new new / new: 1 common of 2 and 1.
    expect(tokenF1('new new', 'the New')).toBeCloseTo(2 / 3, 14);
    expect(tokenF1('Ann', 'Bob')).toBe(0);
  });

  it('takes the best of the right answers', () => {
    const candidates = ['Barack Obama', 'the Obamas', 'Mr. Obama'];
    const examples = [
      { ...base, candidates, answers: ['Obama', 'President Barack Obama'], label: 0 },
      { ...base, candidates, answers: ['Obamas'], label: 1 },
      { ...base, candidates, answers: ['Michelle'], label: 2 },
    ];
    // First: barack obama against president barack obama: 2 of 2 and 3, F1 4/5; against obama 2/3. Second: alike. Third: none.
    const scores = recordScores([0, 1, 2], examples);
    expect(scores.exactMatch).toBeCloseTo(1 / 3, 14);
    expect(scores.tokenF1).toBeCloseTo((4 / 5 + 1) / 3, 14);
    expect(scoreTask('record', [0, 1, 2], examples).score).toBeCloseTo((1 / 3 + 9 / 15) / 2, 14);
  });

  it('counts every right candidate as accurate', () => {
    const candidates = ['Ann', 'Bob', 'Ann Lee'];
    const example = { ...base, candidates, answers: ['Ann', 'Ann Lee'], label: 0 };
    const { measures } = scoreTask('record', [0, 1, 2], [example, example, example]);
    expect(measures.accuracy).toBeCloseTo(2 / 3, 14);
    expect(measures['exact-match']).toBeCloseTo(2 / 3, 14);
  });

  it('needs candidates and answers', () => {
    expect(() => recordScores([0], examplesOf([0]))).toThrow(/example 0: it has no answers/);
    expect(() => recordScores([2], [{ ...base, label: 0, candidates: ['a'], answers: ['a'] }])).toThrow(
      /it has no candidate 2/,
    );
  });

  const base = { id: '0', text: '' };
});

describe('genderParity', () => {
  it('is the share of pairs that get one prediction', () => {
    const groups = ['a', 'b', 'a', 'c', 'c', 'b'];
    // a: 1 1, b: 0 1, c: 0 0. Right are the first, the second and the last two: 4 of 6.
    const examples = examplesOf([1, 0, 0, 1, 0, 1], groups);
    const predicted = [1, 0, 1, 0, 0, 1];
    expect(genderParity(predicted, examples)).toBeCloseTo(2 / 3, 14);
    expect(scoreTask('axg', predicted, examples)).toEqual({
      score: 4 / 6,
      measures: { accuracy: 4 / 6, 'gender-parity': 2 / 3 },
    });
  });
});

describe('scoreTask', () => {
  it('averages F1 and accuracy of a paraphrase task', () => {
    // 3 of 5 right; TP 2, FP 1, FN 1: F1 = 4/6.
    const { score, measures } = scoreTask('mrpc', [1, 1, 1, 0, 0], examplesOf([1, 1, 0, 1, 0]));
    expect(measures).toEqual({ accuracy: 3 / 5, f1: 4 / 6 });
    expect(score).toBeCloseTo((3 / 5 + 4 / 6) / 2, 14);
  });

  it('averages macro F1 and accuracy of CB', () => {
    // Class 0: TP 2, FP 1, FN 0: 4/5. Class 1: TP 1, FN 1: 2/3. Class 2: TP 0, FP 1, FN 1: 0. Right: 3 of 5.
    const { score, measures } = scoreTask('cb', [0, 0, 0, 1, 2], examplesOf([0, 0, 2, 1, 1]));
    expect(measures['macro-f1']).toBeCloseTo((4 / 5 + 2 / 3) / 3, 14);
    expect(score).toBeCloseTo(((4 / 5 + 2 / 3) / 3 + 3 / 5) / 2, 14);
  });

  it('correlates numbers with targets', () => {
    const targets = [0, 1, 2, 5];
    const examples = targets.map((target) => ({ id: `${target}`, text: '', label: 0, target }));
    // Deviations from the means 2 and 3: −2 −1 0 3 and −2 −1 1 2, products 4 + 1 + 0 + 6 = 11, squares 14 and 10.
    // Ranks 1 2 3 4 on both sides.
    const { score, measures } = scoreTask('stsb', [1, 2, 4, 5], examples);
    expect(measures.pearson).toBeCloseTo(11 / Math.sqrt(140), 14);
    expect(measures.spearman).toBeCloseTo(1, 14);
    expect(score).toBeCloseTo((11 / Math.sqrt(140) + 1) / 2, 14);
  });

  it('has the Matthews correlation of CoLA and of the diagnostic sets', () => {
    // TP 2, TN 1, FP 1, FN 1: (2·1 − 1·1) / √(3·3·2·2) = 1/6.
    const examples = examplesOf([1, 1, 1, 0, 0]);
    for (const task of ['cola', 'ax', 'axb']) {
      expect(scoreTask(task, [1, 1, 0, 0, 1], examples).score).toBeCloseTo(1 / 6, 14);
    }
  });

  it('has accuracy for every other task', () => {
    for (const task of ['sst2', 'mnli', 'copa', 'wsc', 'trec', 'mr']) {
      expect(scoreTask(task, [1, 0], examplesOf([1, 1]))).toEqual({
        score: 1 / 2,
        measures: { accuracy: 1 / 2 },
      });
    }
  });
});

describe('averages over tasks', () => {
  it("gives the published average for BERT-large's scores on GLUE", () => {
    // Leaderboard row of Devlin et al. 2019: 60.5, 94.9, 89.3/85.4, 87.6/86.5, 72.1/89.3, 86.7, 85.9, 92.7, 70.1, 65.1; 80.5.
    const scores = {
      ...{ cola: 60.5, sst2: 94.9, mrpc: (89.3 + 85.4) / 2, stsb: (87.6 + 86.5) / 2, qqp: (72.1 + 89.3) / 2 },
      ...{ mnli: 86.7, 'mnli-mm': 85.9, qnli: 92.7, rte: 70.1, wnli: 65.1, ax: 39.6 },
    };
    expect(glueAverage(scores).toFixed(1)).toBe('80.5');
  });

  it("gives the published average for BERT++'s scores on SuperGLUE", () => {
    // Wang et al. 2019: 79.0, 84.7/90.4, 73.8, 70.0/24.1, 72.0/71.3, 79.0, 69.6, 64.4; 71.5.
    const scores = {
      ...{ boolq: 79, cb: (84.7 + 90.4) / 2, copa: 73.8, multirc: (70 + 24.1) / 2, record: (72 + 71.3) / 2 },
      ...{ 'superglue-rte': 79, wic: 69.6, wsc: 64.4, axb: 38, axg: 99.4 },
    };
    expect(superGlueAverage(scores).toFixed(1)).toBe('71.5');
  });

  it('refuses to average some of the tasks', () => {
    expect(() => superGlueAverage({ boolq: 0.7 })).toThrow(ConfigurationError);
    expect(() => superGlueAverage({ boolq: 0.7 })).toThrow(
      /SuperGLUE: there is no score of cb, copa, multirc/,
    );
  });
});
