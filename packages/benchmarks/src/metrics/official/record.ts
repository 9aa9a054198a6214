import { DataError } from '@dynaprompt/core';
import type { LabelledExample } from '../../datasets/types.js';
import { packageName } from '../../package-name.js';
import { type Predictions, requireSameLength } from '../metrics.js';

/** Measures of ReCoRD (Zhang et al. 2018), each from 0 to 1, the best over the right answers of an example. */
export interface RecordScores {
  readonly exactMatch: number;
  readonly tokenF1: number;
}

/** Scores chosen candidates, given by their index. Throws a `DataError` where an example lacks candidates or answers. */
export function recordScores(predicted: Predictions, examples: readonly LabelledExample[]): RecordScores {
  const count = requireSameLength(predicted, examples);
  let exact = 0;
  let overlap = 0;
  examples.forEach(({ id, candidates, answers }, index) => {
    const chosen = candidates?.[predicted[index] ?? -1];
    if (chosen === undefined || answers === undefined) {
      throw new DataError({
        packageName,
        subject: `example ${id}`,
        problem: answers === undefined ? 'it has no answers' : `it has no candidate ${predicted[index]}`,
        remedy: 'Score indices of candidates, on examples of the task "record"',
      });
    }
    exact += Math.max(
      ...answers.map((answer) => Number(normalizeAnswer(answer) === normalizeAnswer(chosen))),
    );
    overlap += Math.max(...answers.map((answer) => tokenF1(chosen, answer)));
  });
  return { exactMatch: exact / count, tokenF1: overlap / count };
}

/** F1 of the words that two normalised texts share, each as often as both have it. */
export function tokenF1(predicted: string, answer: string): number {
  const said = wordsOf(predicted);
  const right = wordsOf(answer);
  const left = [...right];
  let common = 0;
  for (const word of said) {
    const place = left.indexOf(word);
    if (place < 0) continue;
    left.splice(place, 1);
    common += 1;
  }
  return common === 0 ? 0 : (2 * common) / (said.length + right.length);
}

/** Normalisation of SQuAD's evaluation: lower case, ASCII punctuation and articles taken out, single blanks. */
export function normalizeAnswer(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ');
}

function wordsOf(text: string): readonly string[] {
  const normal = normalizeAnswer(text);
  return normal === '' ? [] : normal.split(' ');
}
