import {
  type Baselines,
  languagePrior,
  vocabularyCeiling,
  vocabularyOf,
  type VqaExample,
  vqaScores,
  type VqaScores,
  type VqaScoring,
} from '@dynaprompt/benchmarks';
import { majorityOf, type Measures, type TaskSet } from '@dynaprompt/runner';
import type { Evaluation } from '@dynaprompt/training';

type Questions = Pick<TaskSet<unknown>, 'train' | 'validation' | 'labels' | 'metric'>;

/** Scores by type of question, type of answer, and group. */
export function measure({ predictions }: Pick<Evaluation, 'predictions'>, data: Questions): Measures {
  const said = Array.from(predictions, (label) => data.labels[label] ?? '');
  return { measures: partsOf(vqaScores(said, examplesOf(data.validation), scoringOf(data))) };
}

/** Guesses that do not look at pictures, and what the answers that are chosen from allow at most. */
export function baselines(data: Questions): Baselines {
  const { train, labels } = data;
  const scoring = scoringOf(data);
  const [trained, scored] = [examplesOf(train), examplesOf(data.validation)];
  const usual = majorityOf(data).label;
  const always = vqaScores(new Array<string>(scored.length).fill(usual), scored, scoring);
  const ofType = languagePrior(trained, scored, scoring);
  const vocabulary = vocabularyOf(labels, scoring.measure);
  return {
    [`most frequent answer (${usual})`]: { score: always.overall, measures: partsOf(always) },
    ...(ofType.byQuestionType.length > 0 && {
      'most frequent of the question type': { score: ofType.overall, measures: partsOf(ofType) },
    }),
    [`best of ${labels.length} answers`]: { score: vocabularyCeiling(scored, vocabulary), measures: {} },
  };
}

/** By name; counts of questions stand in the names. */
function partsOf({ byQuestionType, byAnswerType, byGroup }: VqaScores): Readonly<Record<string, number>> {
  return Object.fromEntries([
    ...byQuestionType.map(({ name, count, score }) => [`question: ${name} (${count})`, score] as const),
    ...byAnswerType.map(({ name, count, score }) => [`answer: ${name} (${count})`, score] as const),
    ...byGroup.map(({ name, count, score }) => [`combination: ${name} (${count})`, score] as const),
  ]);
}

function scoringOf({ metric }: Pick<Questions, 'metric'>): VqaScoring {
  return { measure: metric === 'exact-match' ? 'exact' : 'soft' };
}

/** The examples are those that data sets of questions give. */
function examplesOf(split: Questions['train']): readonly VqaExample[] {
  return split.map(({ example }) => example as VqaExample);
}
