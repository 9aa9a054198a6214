import type { BadRowPolicy, LabelledImage, SkippedRows } from '@dynaprompt/benchmarks';
import { DataError } from '@dynaprompt/core';
import { decodeImage } from '@dynaprompt/vision';

import type { ScoredDataset } from './load-data.js';

/** Pictures that are decoded at a time. */
const together = 8;

/** So many of what was left out are named. */
const named = 5;

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
  const problems: string[] = [];
  const usable = async (split: readonly LabelledImage[]): Promise<readonly LabelledImage[]> => {
    const kept: LabelledImage[] = [];
    for (let start = 0; start < split.length; start += together) {
      signal?.throwIfAborted();
      const part = split.slice(start, start + together);
      const found = await Promise.all(part.map(problemOf));
      for (const [index, picture] of part.entries()) {
        const problem = found[index];
        if (problem === undefined) kept.push(picture);
        else if (policy === 'fail') throw problem;
        else problems.push(`${picture.id}: ${problem.problem}`);
      }
    }
    return kept;
  };
  const train = await usable(data.train);
  const validation = await usable(data.validation);
  return { ...data, train, validation, faults: joined(data.faults, problems) };
}

/** Why a picture cannot be decoded; undefined where it can. */
export async function problemOf(
  picture: Pick<LabelledImage, 'id' | 'image'>,
): Promise<DataError | undefined> {
  // Pixels were decoded already.
  if (picture.image.kind === 'pixels') return undefined;
  try {
    await decodeImage(picture);
    return undefined;
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}

function joined({ count, first }: SkippedRows, problems: readonly string[]): SkippedRows {
  return { count: count + problems.length, first: [...first, ...problems].slice(0, named) };
}
