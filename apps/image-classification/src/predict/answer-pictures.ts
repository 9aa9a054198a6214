import { DataError, nullThrows } from '@dynaprompt/core';
import { type Answer, classifier, type LineSource } from '@dynaprompt/runner';
import { pictureProblem, type VisionExample } from '@dynaprompt/vision';

import { packageName } from '../package-name.js';
import type { OpenImageAdapter } from './open-image-adapter.js';

/** How pictures are answered. */
export interface PictureOptions {
  /** Most pictures of one pass through the model. */
  readonly batch: number;
  /** Stop at a picture that cannot be used, or answer it by its problem. */
  readonly onBadSample: 'fail' | 'skip';
}

/** A picture with its answer, or with what is wrong with it. */
export type AnsweredPicture =
  | { readonly example: VisionExample; readonly answer: Answer; readonly problem?: undefined }
  | { readonly example: VisionExample; readonly answer?: undefined; readonly problem: string };

/**
 * Answers the pictures whose paths a source has, a line each, batch by batch and in order; none is left out.
 *
 * @throws DataError with `fail`: names the first bad picture, once all before it are answered.
 */
export async function* answerPictures(
  opened: OpenImageAdapter,
  source: LineSource,
  { batch, onBadSample }: PictureOptions,
): AsyncGenerator<readonly AnsweredPicture[]> {
  const classify = classifier(opened);
  for await (const lines of source.batches(batch)) {
    const examples = lines.map(({ text }): VisionExample => ({
      id: text,
      image: { kind: 'file', path: text },
    }));
    const problems = await Promise.all(
      lines.map(async ({ problem }, index) =>
        problem === undefined
          ? pictureProblem(nullThrows(examples[index], 'every line is an example'))
          : badLine(source.name, index, problem),
      ),
    );
    const end = onBadSample === 'fail' ? problems.findIndex((problem) => problem !== undefined) : -1;
    const reached = end < 0 ? examples : examples.slice(0, end);
    const answers = (await classify(reached.filter((_, index) => problems[index] === undefined))).values();
    yield reached.map((example, index): AnsweredPicture => {
      const bad = problems[index];
      if (bad !== undefined) return { example, problem: bad.problem };
      return { example, answer: nullThrows(answers.next().value, 'every picture is answered') };
    });
    const bad = problems[end];
    if (bad !== undefined) throw bad;
  }
}

function badLine(source: string, index: number, problem: string): DataError {
  return new DataError({
    packageName,
    subject: `${source} line ${index + 1}`,
    problem,
    remedy: 'Give one path of a picture a line, or go on after bad ones with predict --on-bad-sample skip',
  });
}
