import { rightCandidates } from '../../datasets/candidate-inputs.js';
import type { LabelledExample } from '../../datasets/types.js';
import { accuracy, f1, macroF1, matthews, pearson, spearman, type Predictions } from '../metrics.js';
import { genderParity } from './gender-parity.js';
import { multiRcScores } from './multirc.js';
import { recordScores } from './record.js';

/** Official measures of GLUE and SuperGLUE. */
export const measureNames = [
  'accuracy',
  'f1',
  'macro-f1',
  'matthews',
  'pearson',
  'spearman',
  'f1-answers',
  'f1-questions',
  'exact-match-questions',
  'exact-match',
  'token-f1',
  'gender-parity',
] as const;

/** A measure by name. */
export type MeasureName = (typeof measureNames)[number];

/** A score of predictions for examples; larger is better. */
export interface Measure {
  readonly title: string;
  /** Score of predicted classes, in the order of the examples. */
  readonly score: (predicted: Predictions, examples: readonly LabelledExample[]) => number;
}

/** Every measure, by name. */
export const measures: Readonly<Record<MeasureName, Measure>> = {
  accuracy: { title: 'accuracy', score: ofLabels(accuracy) },
  f1: { title: 'F1', score: ofLabels(f1) },
  'macro-f1': { title: 'macro F1', score: ofLabels(macroF1) },
  matthews: { title: 'Matthews correlation', score: ofLabels(matthews) },
  pearson: { title: 'Pearson correlation', score: ofTargets(pearson) },
  spearman: { title: 'Spearman correlation', score: ofTargets(spearman) },
  'f1-answers': { title: 'F1a', score: (...given) => multiRcScores(...given).f1Answers },
  'f1-questions': { title: 'F1m', score: (...given) => multiRcScores(...given).f1Questions },
  'exact-match-questions': {
    title: 'exact match of questions',
    score: (...given) => multiRcScores(...given).exactMatch,
  },
  'exact-match': { title: 'exact match', score: (...given) => recordScores(...given).exactMatch },
  'token-f1': { title: 'token F1', score: (...given) => recordScores(...given).tokenF1 },
  'gender-parity': { title: 'gender parity', score: genderParity },
};

type PlainScore = (predicted: Predictions, expected: Predictions) => number;

/** Of several right candidates, each that is chosen is the right one. */
function ofLabels(score: PlainScore): Measure['score'] {
  return (predicted, examples) =>
    score(
      predicted,
      examples.map((example, index) => {
        const chosen = predicted[index];
        const isRight = chosen !== undefined && rightCandidates(example).includes(chosen);
        return isRight ? chosen : example.label;
      }),
    );
}

function ofTargets(score: PlainScore): Measure['score'] {
  return (predicted, examples) =>
    score(
      predicted,
      examples.map(({ target, label }) => target ?? label),
    );
}
