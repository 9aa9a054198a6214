import { DataError } from '@dynaprompt/core';
import { packageName } from '../package-name.js';
import { PLACEHOLDER } from './super-glue/record.js';
import type { LabelledExample, TextExample, TextSpan } from './types.js';

/** An example with one of its candidates filled in. */
export interface CandidateInput extends TextExample {
  readonly pair: string;
  /** Where the candidate stands in `pair`. */
  readonly candidate: TextSpan;
}

/**
 * A pair of texts for each candidate of an example, to be scored; the best one is the answer. A candidate fills the gap of the
 * second text (ReCoRD's `@placeholder`), or is the second text itself (COPA). Throws a `DataError` where there are none.
 */
export function candidateInputs({
  id,
  text,
  pair = PLACEHOLDER,
  candidates,
}: LabelledExample): readonly CandidateInput[] {
  if (candidates === undefined) {
    throw new DataError({
      packageName,
      subject: `example ${id}`,
      problem: 'it has no candidates',
      remedy: 'Give examples of a task whose answer is one of their candidates',
    });
  }
  const start = pair.indexOf(PLACEHOLDER);
  return candidates.map((candidate, index) => ({
    id: `${id}@${index}`,
    text,
    pair: `${pair.slice(0, start)}${candidate}${pair.slice(start + PLACEHOLDER.length)}`,
    candidate: { of: 'pair', start, end: start + candidate.length },
  }));
}

/** Indices of all right candidates, in order: `label`, and those that `answers` names. */
export function rightCandidates({ label, candidates, answers = [] }: LabelledExample): readonly number[] {
  if (candidates === undefined) return [label];
  return candidates.flatMap((candidate, index) =>
    index === label || answers.includes(candidate) ? [index] : [],
  );
}

/**
 * The example with one right candidate, for a loss that takes a softmax over the candidates: where several are right, `label` stays
 * and the others are taken out, so that none of them is learned to be wrong.
 */
export function withOneAnswer(example: LabelledExample): LabelledExample {
  const { candidates = [], label } = example;
  const others = rightCandidates(example).filter((index) => index !== label);
  if (others.length === 0) return example;
  const kept = candidates.flatMap((candidate, index) =>
    others.includes(index) ? [] : [{ candidate, index }],
  );
  return {
    ...example,
    candidates: kept.map(({ candidate }) => candidate),
    label: kept.findIndex(({ index }) => index === label),
  };
}
