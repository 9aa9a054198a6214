import type { Answer } from '@dynaprompt/runner';

/** An answer with the likeliest alternatives alone, the likeliest first. */
export function likeliest(answer: Answer, top: number): Answer {
  const sorted = [...answer.probabilities].sort(([, left], [, right]) => right - left);
  return { ...answer, probabilities: sorted.slice(0, top) };
}
