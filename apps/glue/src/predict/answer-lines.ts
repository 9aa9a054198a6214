import { DataError, nullThrows } from '@dynaprompt/core';
import type { LineSource, TextLine } from '@dynaprompt/runner';
import type { TextExample } from '@dynaprompt/text';

import { packageName } from '../package-name.js';
import { lineReader, separatorOf } from './examples.js';
import type { OpenTextAdapter } from './open-text-adapter.js';
import { answererOf, answersCandidates, type TextAnswer } from './text-answer.js';

/** How lines are answered. */
export interface LineOptions {
  /** Between the texts of a pair, or a text and its candidates. */
  readonly pairSeparator: string | undefined;
  /** Most lines of one pass through the model. */
  readonly batch: number;
  /** Stop at a line that cannot be answered, or answer it by its problem. */
  readonly onBadLine: 'fail' | 'skip';
}

/** A line with its answer, or with what is wrong with it. */
export type AnsweredLine =
  | {
      readonly line: TextLine;
      readonly example: TextExample;
      readonly answer: TextAnswer;
      readonly problem?: undefined;
    }
  | {
      readonly line: TextLine;
      readonly example?: undefined;
      readonly answer?: undefined;
      readonly problem: string;
    };

/**
 * Answers the lines of a source, batch by batch and in order; none is left out.
 *
 * @throws DataError with `fail`: names the first bad line, once all lines before it are answered.
 * @throws ConfigurationError before anything is read, when lines of the adapter's task take no separator.
 */
export async function* answerLines(
  opened: OpenTextAdapter,
  source: LineSource,
  { pairSeparator, batch, onBadLine }: LineOptions,
): AsyncGenerator<readonly AnsweredLine[]> {
  const { adapter, backbone } = opened;
  const separator = separatorOf(adapter, pairSeparator);
  const read = lineReader(source.name, separator, backbone, answersCandidates(adapter));
  const answer = answererOf(opened);
  for await (const lines of source.batches(batch)) {
    const all = lines.map(read);
    const end = onBadLine === 'fail' ? all.findIndex(({ problem }) => problem !== undefined) : -1;
    const readings = end < 0 ? all : all.slice(0, end);
    const answers = (await answer(readings.flatMap(({ example }) => example ?? []))).values();
    yield readings.map((reading): AnsweredLine => {
      if (reading.problem !== undefined) return reading;
      return { ...reading, answer: nullThrows(answers.next().value, 'every example is answered') };
    });
    const bad = all[end];
    if (bad?.problem !== undefined) throw badLine(source.name, bad.line, bad.problem);
  }
}

function badLine(source: string, { number }: TextLine, problem: string): DataError {
  return new DataError({
    packageName,
    subject: `${source} line ${number}`,
    problem,
    remedy: 'Correct the line, or go on after bad lines with predict --on-bad-line skip',
  });
}
