import type { LabelledExample } from '../../datasets/types.js';
import type { Predictions } from '../metrics.js';
import { type Answered, byGroup } from './groups.js';

/** Measures of MultiRC (Khashabi et al. 2018), each from 0 to 1. */
export interface MultiRcScores {
  /** F1a: F1 over all answers, whatever their question. */
  readonly f1Answers: number;
  /** F1m: harmonic mean of the mean precision and the mean recall of the questions. */
  readonly f1Questions: number;
  /** Share of the questions all of whose answers are judged rightly. */
  readonly exactMatch: number;
}

/**
 * Scores judgements (0 wrong, 1 right) on answers, whose group is their question. As in the authors' evaluation, a precision is
 * 1 where nothing is judged right, and a recall where nothing is right.
 */
export function multiRcScores(predicted: Predictions, examples: readonly LabelledExample[]): MultiRcScores {
  const questions = [...byGroup(predicted, examples).values()];
  const single = questions.map(precisionAndRecall);
  const exact = questions.filter((answers) => answers.every((answer) => answer.predicted === answer.label));
  const overall = precisionAndRecall(questions.flat());
  return {
    f1Answers: harmonicMean(overall.precision, overall.recall),
    f1Questions: harmonicMean(
      mean(single.map(({ precision }) => precision)),
      mean(single.map(({ recall }) => recall)),
    ),
    exactMatch: exact.length / questions.length,
  };
}

function precisionAndRecall(answers: readonly Answered[]): {
  readonly precision: number;
  readonly recall: number;
} {
  const said = answers.filter(({ predicted }) => predicted === 1).length;
  const right = answers.filter(({ label }) => label === 1).length;
  const both = answers.filter(({ predicted, label }) => predicted === 1 && label === 1).length;
  return { precision: said === 0 ? 1 : both / said, recall: right === 0 ? 1 : both / right };
}

function harmonicMean(first: number, second: number): number {
  return first + second === 0 ? 0 : (2 * first * second) / (first + second);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
