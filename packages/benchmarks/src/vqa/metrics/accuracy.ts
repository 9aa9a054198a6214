import { DataError } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';
import type { VqaEntry, VqaMeasure } from '../types.js';
import { answerForm } from './normalise.js';

/** An answer counts in full where so many other people gave it. */
const AGREEMENT = 3;

/** What is scored of an example. */
export type AnsweredQuestion = Pick<
  VqaEntry,
  'id' | 'answers' | 'answer' | 'questionType' | 'answerType' | 'group'
>;

/** How answers are scored. */
export interface VqaScoring {
  readonly measure: VqaMeasure;
  /**
   * The public evaluation compares answers as they stand where all people wrote the very same, against its own description:
   * `verbatim` does so too. `normalised`, the default, normalises them like all others.
   */
  readonly unanimous?: 'normalised' | 'verbatim';
}

/** Mean score of some questions. */
export interface VqaPartScore {
  /** Name of the type or group. */
  readonly name: string;
  readonly count: number;
  /** 0 … 1. */
  readonly score: number;
}

/** Scores of a data set, all 0 … 1; parts in the order of their names, questions without a type in none. */
export interface VqaScores {
  readonly overall: number;
  readonly count: number;
  readonly byQuestionType: readonly VqaPartScore[];
  readonly byAnswerType: readonly VqaPartScore[];
  readonly byGroup: readonly VqaPartScore[];
}

/**
 * Score of one answer, 0 … 1. `soft` is the VQA accuracy (Antol et al. 2015; Goyal et al. 2017): the mean of min(n / 3, 1) over all
 * ways to leave one person out, n being how many of the others gave the answer. With k of ten people it is 0.3, 0.6, 0.9, 1 … for
 * k = 1, 2, 3, 4 …; the same formula holds for fewer people, so that three cannot give more than 2/3. A single answer is compared
 * as it is under either measure. Throws a `DataError` where there are no answers.
 */
export function vqaScore(
  predicted: string,
  { id, answers }: Pick<AnsweredQuestion, 'id' | 'answers'>,
  { measure, unanimous = 'normalised' }: VqaScoring,
): number {
  if (answers.length === 0) throw hidden(id);
  const isVerbatim =
    measure === 'soft' && unanimous === 'verbatim' && new Set(answers.map(trimmed)).size === 1;
  const formOf = (answer: string) => (isVerbatim ? trimmed(answer) : answerForm(answer, measure));
  const wanted = formOf(predicted);
  return agreement(answers.filter((answer) => formOf(answer) === wanted).length, answers.length);
}

/** Every distinct answer of a question, in its compared form, with the score of giving it. */
export function answerScores(answers: readonly string[], measure: VqaMeasure): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const answer of answers) {
    const form = answerForm(answer, measure);
    counts.set(form, (counts.get(form) ?? 0) + 1);
  }
  return new Map([...counts].map(([form, count]) => [form, agreement(count, answers.length)]));
}

/**
 * Scores predictions, one for each example in the same order: over all, by question type, by answer type and by group. Throws a
 * `DataError` where their numbers differ or an example has no answers.
 */
export function vqaScores(
  predictions: readonly string[],
  examples: readonly AnsweredQuestion[],
  scoring: VqaScoring,
): VqaScores {
  if (predictions.length !== examples.length || examples.length === 0) {
    throw new DataError({
      packageName,
      subject: 'predictions',
      problem: `there are ${predictions.length} for ${examples.length} questions`,
      remedy: 'Give one for each question, and at least one',
    });
  }
  const scores = examples.map((example, index) => vqaScore(predictions[index] ?? '', example, scoring));
  const by = (nameOf: (example: AnsweredQuestion) => string | undefined) =>
    partScores(examples.map(nameOf), scores);
  return {
    overall: mean(scores),
    count: scores.length,
    byQuestionType: by(({ questionType }) => questionType),
    byAnswerType: by(({ answerType }) => answerType),
    byGroup: by(({ group }) => group),
  };
}

/**
 * What a guess without the picture scores: to every question the training answer with the highest sum of scores among questions of
 * its type (among all, for a type that training has not). Ties go to the answer that is first in the order of code units.
 */
export function languagePrior(
  train: readonly AnsweredQuestion[],
  examples: readonly AnsweredQuestion[],
  scoring: VqaScoring,
): VqaScores {
  const sums = new Map<string | undefined, Map<string, number>>();
  const add = (type: string | undefined, answer: string, score: number) => {
    const ofType = sums.get(type) ?? new Map<string, number>();
    sums.set(type, ofType.set(answer, (ofType.get(answer) ?? 0) + score));
  };
  for (const { answers, questionType } of train) {
    for (const [answer, score] of answerScores(answers, scoring.measure)) {
      add(undefined, answer, score);
      if (questionType !== undefined) add(questionType, answer, score);
    }
  }
  const best = new Map([...sums].map(([type, answers]) => [type, bestOf(answers)]));
  const guesses = examples.map(({ questionType }) => best.get(questionType) ?? best.get(undefined) ?? '');
  return vqaScores(guesses, examples, scoring);
}

/** Mean of min(n / 3, 1) over leaving each of `people` out, where `count` of them gave the answer. */
function agreement(count: number, people: number): number {
  if (people === 1) return count;
  const left =
    count * Math.min((count - 1) / AGREEMENT, 1) + (people - count) * Math.min(count / AGREEMENT, 1);
  return left / people;
}

function partScores(
  names: readonly (string | undefined)[],
  scores: readonly number[],
): readonly VqaPartScore[] {
  const parts = new Map<string, number[]>();
  names.forEach((name, index) => {
    if (name === undefined) return;
    const part = parts.get(name) ?? [];
    part.push(scores[index] ?? 0);
    parts.set(name, part);
  });
  return [...parts]
    .map(([name, part]) => ({ name, count: part.length, score: mean(part) }))
    .sort((first, second) => (first.name < second.name ? -1 : 1));
}

function bestOf(answers: ReadonlyMap<string, number>): string {
  const [first] = [...answers].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return first?.[0] ?? '';
}

function trimmed(answer: string): string {
  return answer.replace(/[\n\t]/g, ' ').trim();
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function hidden(id: string): DataError {
  return new DataError({
    packageName,
    subject: `question ${id}`,
    problem: 'it has no answers to score against',
    remedy: 'Score a split whose answers are published, or send the predictions to the evaluation server',
  });
}
