import type { BadRowPolicy } from '@dynaprompt/benchmarks';
import { usableExamples } from '@dynaprompt/runner';
import { pictureProblem } from '@dynaprompt/vision';

import type { ScoredDataset } from './load-data.js';

/**
 * Decodes every picture once, so that a bad one shows before anything is trained.
 *
 * @returns the data set without bad pictures; `faults` counts them and names the first.
 * @throws DataError with `fail`, naming the first bad picture.
 */
export async function usablePictures(
  data: ScoredDataset,
  policy: BadRowPolicy,
  signal?: AbortSignal,
): Promise<ScoredDataset> {
  return { ...data, ...(await usableExamples(data, pictureProblem, policy, signal)) };
}
