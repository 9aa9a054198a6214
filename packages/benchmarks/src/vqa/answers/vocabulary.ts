import { ConfigurationError, nullThrows } from '@dynaprompt/core';
import { packageName } from '../../package-name.js';
import { integerStream, shuffled } from '../../random.js';
import { answerScores } from '../metrics/accuracy.js';
import { answerForm } from '../metrics/normalise.js';
import type { VqaEntry, VqaMeasure } from '../types.js';

/** Answers that a model chooses from. */
export interface AnswerVocabulary {
  /** In their compared form, the most rewarding ones first. */
  readonly answers: readonly string[];
  readonly measure: VqaMeasure;
  /** Index of an answer in any spelling; undefined where it is none of them. */
  readonly indexOf: (answer: string) => number | undefined;
}

/** How a vocabulary is made. */
export interface AnswerVocabularyOptions {
  readonly measure: VqaMeasure;
  /** Most answers; all of the training part where absent. 3,129 is usual for VQAv2. */
  readonly size?: number;
  /** Orders answers whose sums are equal. */
  readonly seed: number;
}

/** Sums closer to each other than this are equal: they are thirds and tenths in binary. */
const PRECISION = 1e6;

/**
 * The answers of the training part with the highest sums of scores over all of its questions. Equal ones are in an order drawn by
 * seed; the order of the questions changes nothing. Throws a `ConfigurationError` for a size below 1 and for questions without
 * answers.
 */
export function answerVocabulary(
  train: readonly Pick<VqaEntry, 'answers'>[],
  { measure, size, seed }: AnswerVocabularyOptions,
): AnswerVocabulary {
  if (size !== undefined && !(Number.isSafeInteger(size) && size > 0)) {
    throw unusable(`size ${size}`, 'this is not a number of answers', 'Give a whole number of 1 or more');
  }
  const sums = new Map<string, number>();
  for (const { answers } of train) {
    for (const [answer, score] of answerScores(answers, measure)) {
      if (answer !== '') sums.set(answer, (sums.get(answer) ?? 0) + score);
    }
  }
  if (sums.size === 0) {
    throw unusable(
      'the training part',
      'no question has an answer',
      'Give a split whose answers are published',
    );
  }
  const ranked = shuffled([...sums.keys()].sort(), integerStream(seed))
    .map((answer) => ({ answer, sum: Math.round((sums.get(answer) ?? 0) * PRECISION) }))
    .sort((first, second) => second.sum - first.sum);
  return vocabularyOf(
    ranked.slice(0, size).map(({ answer }) => answer),
    measure,
  );
}

/** The vocabulary of a list of answers, for example one that was saved. Throws where two have the same form. */
export function vocabularyOf(answers: readonly string[], measure: VqaMeasure): AnswerVocabulary {
  const forms = answers.map((answer) => answerForm(answer, measure));
  const indices = new Map(forms.map((form, index) => [form, index]));
  if (indices.size !== answers.length || answers.length === 0) {
    throw unusable(
      'answer vocabulary',
      answers.length === 0 ? 'it is empty' : 'two of its answers are the same when they are normalised',
      'Give every answer once',
    );
  }
  return { answers: forms, measure, indexOf: (answer) => indices.get(answerForm(answer, measure)) };
}

/** [answers of the vocabulary] The score of giving each of them to this question. */
export function softTargets(
  { answers }: Pick<VqaEntry, 'answers'>,
  vocabulary: AnswerVocabulary,
): Float32Array {
  const targets = new Float32Array(vocabulary.answers.length);
  for (const [answer, score] of answerScores(answers, vocabulary.measure)) {
    const index = vocabulary.indexOf(answer);
    if (index !== undefined) targets[index] = score;
  }
  return targets;
}

/** Mean over the questions of the best score that an answer of the vocabulary gets: no model that uses it can score more. */
export function vocabularyCeiling(
  examples: readonly Pick<VqaEntry, 'answers'>[],
  vocabulary: AnswerVocabulary,
): number {
  nullThrows(examples[0], 'a ceiling is that of some questions');
  const best = examples.map((example) =>
    softTargets(example, vocabulary).reduce((a, b) => Math.max(a, b), 0),
  );
  return best.reduce((sum, value) => sum + value, 0) / best.length;
}

function unusable(subject: string, problem: string, remedy: string): ConfigurationError {
  return new ConfigurationError({ packageName, subject, problem, remedy });
}
