import type { VqaExample } from '@dynaprompt/clip';
import { DataError, nullThrows } from '@dynaprompt/core';
import { type Answer, classifier, type LineSource, type TextLine } from '@dynaprompt/runner';
import { pictureProblem } from '@dynaprompt/vision';

import { packageName } from '../package-name.js';
import type { OpenVqaAdapter } from './open-vqa-adapter.js';

/** How questions are answered. */
export interface AnswerOptions {
  /** Most questions of one pass through the model. */
  readonly batch: number;
  /** Stop at a question that cannot be answered, or answer it by its problem. */
  readonly onBadSample: 'fail' | 'skip';
}

/** A picture by its path, and what is asked about it. */
export interface Question {
  readonly picture: string;
  readonly question: string;
  readonly example: VqaExample;
}

/** A question with its answer, or with what is wrong with it. */
export type AnsweredQuestion =
  | (Question & { readonly answer: Answer; readonly problem?: undefined })
  | (Question & { readonly answer?: undefined; readonly problem: string });

/**
 * Answers the lines `picture<TAB>question` of a source, batch by batch and in order; none is left out.
 *
 * @throws DataError with `fail`: names the first bad line, once all before it are answered.
 */
export async function* answerQuestions(
  opened: Pick<OpenVqaAdapter, 'adapter' | 'backbone' | 'prompt'>,
  source: LineSource,
  { batch, onBadSample }: AnswerOptions,
): AsyncGenerator<readonly AnsweredQuestion[]> {
  const classify = classifier(opened);
  for await (const lines of source.batches(batch)) {
    const questions = lines.map(questionOf);
    const faults = await Promise.all(
      lines.map((line, index) =>
        faultOf(line, nullThrows(questions[index], 'a question a line'), source.name),
      ),
    );
    const end = onBadSample === 'fail' ? faults.findIndex((fault) => fault !== undefined) : -1;
    const reached = end < 0 ? questions : questions.slice(0, end);
    const good = reached.filter((_, index) => faults[index] === undefined);
    const answers = (await classify(good.map(({ example }) => example))).values();
    yield reached.map((question, index): AnsweredQuestion => {
      const fault = faults[index];
      if (fault !== undefined) return { ...question, problem: fault.problem };
      return { ...question, answer: nullThrows(answers.next().value, 'every question is answered') };
    });
    const fault = faults[end];
    if (fault !== undefined) throw fault;
  }
}

function questionOf({ text }: TextLine): Question {
  const [picture = '', ...rest] = text.split('\t');
  const question = rest.join('\t').trim();
  return { picture, question, example: { id: picture, question, image: { kind: 'file', path: picture } } };
}

async function faultOf(
  { number, problem }: TextLine,
  { picture, question, example }: Question,
  source: string,
): Promise<DataError | undefined> {
  const missing =
    picture === '' ? 'it names no picture' : question === '' ? 'no question follows a TAB' : undefined;
  const fault = problem ?? missing;
  if (fault === undefined) return pictureProblem(example);
  return new DataError({
    packageName,
    subject: `${source} line ${number}`,
    problem: fault,
    remedy: 'Give a picture, a TAB and a question a line, or go on after bad ones with --on-bad-sample skip',
  });
}
