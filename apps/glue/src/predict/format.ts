import type { AnsweredLine } from './answer-lines.js';

/** `label<TAB>probability<TAB>line`; nothing for a bad line. */
export function plainAnswer({ line, answer }: AnsweredLine): string {
  return answer === undefined ? '' : `${answer.label}\t${answer.probability.toFixed(4)}\t${line.text}`;
}

/** One JSON object; that of a bad line has no label, and says what is wrong. */
export function jsonAnswer({ line, example, answer, problem }: AnsweredLine): string {
  if (answer === undefined) {
    return JSON.stringify({ text: line.text, label: null, probabilities: null, error: problem });
  }
  return JSON.stringify({ ...textsOf(example), ...probabilitiesOf(answer) });
}

/** The texts of an example as JSON has them. */
export function textsOf({ text, pair }: NonNullable<AnsweredLine['example']>): Record<string, string> {
  return { text, ...(pair === undefined ? {} : { pair }) };
}

/** An answer as JSON has it. */
export function probabilitiesOf({
  label,
  probabilities,
}: NonNullable<AnsweredLine['answer']>): Record<string, unknown> {
  return { label, probabilities: Object.fromEntries(probabilities) };
}
