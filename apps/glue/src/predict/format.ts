import type { AnsweredLine } from './answer-lines.js';
import { answerColumns, answerFields } from './text-answer.js';

/** `label<TAB>probability<TAB>line`, or `number<TAB>line`; nothing for a bad line. */
export function plainAnswer({ line, answer }: AnsweredLine): string {
  return answer === undefined ? '' : `${answerColumns(answer)}\t${line.text}`;
}

/** One JSON object; that of a bad line has no label, and says what is wrong. */
export function jsonAnswer({ line, example, answer, problem }: AnsweredLine): string {
  if (answer === undefined) {
    return JSON.stringify({ text: line.text, label: null, probabilities: null, error: problem });
  }
  return JSON.stringify({ ...textsOf(example), ...answerFields(answer) });
}

/** The texts of an example as JSON has them. */
export function textsOf({
  text,
  pair,
  choices,
}: NonNullable<AnsweredLine['example']>): Readonly<Record<string, unknown>> {
  return { text, ...(pair === undefined ? {} : { pair }), ...(choices === undefined ? {} : { choices }) };
}
