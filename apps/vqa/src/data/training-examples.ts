import { type AnswerVocabulary, answerScores, type VqaExample } from '@dynaprompt/benchmarks';
import type { TrainingExample } from '@dynaprompt/training';

/** A question with what every answer of the vocabulary earns; undefined where none of them earns anything. */
export function trainingExample(
  example: VqaExample,
  vocabulary: AnswerVocabulary,
): TrainingExample<VqaExample> | undefined {
  const { label, ...scored } = scoredExample(example, vocabulary);
  return scored.credits.size === 0 ? undefined : { ...scored, label };
}

/** The same to be scored: where no answer earns anything, whatever is said is wrong. */
export function scoredExample(
  example: VqaExample,
  vocabulary: AnswerVocabulary,
): TrainingExample<VqaExample> & { readonly credits: ReadonlyMap<number, number> } {
  const earned = [...answerScores(example.answers, vocabulary.measure)].flatMap(
    ([answer, score]): (readonly [number, number])[] => {
      const index = vocabulary.indexOf(answer);
      return index === undefined || score === 0 ? [] : [[index, score]];
    },
  );
  // The most rewarding answer is trained; of equal ones the more usual one, which stands in front.
  const [best] = [...earned].sort(([first, less], [other, more]) => more - less || first - other);
  return { id: example.id, example, label: best?.[0] ?? 0, credits: new Map(earned) };
}
