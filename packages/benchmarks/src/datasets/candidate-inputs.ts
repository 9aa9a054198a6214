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
