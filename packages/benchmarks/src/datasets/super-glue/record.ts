import { RowProblem } from '../rows/faults.js';
import type { RowReader, RowReading } from '../rows/row-reader.js';
import { indexOf, listOf, objectOf, objectsOf, rawTextOf, textOf, type Values } from '../rows/values.js';
import { codePointSlices } from './code-points.js';

/** Every statement about a passage, as the archive nests them. */
export const readRecord: RowReader = (values) => {
  const passage = objectOf(values, 'passage');
  const text = rawTextOf(passage, 'text');
  const slice = codePointSlices(text);
  // The archive's `end` is the last position of an entity.
  const entities = objectsOf(passage, 'entities').map((span) =>
    slice(indexOf(span, 'start'), indexOf(span, 'end') + 1),
  );
  return objectsOf(values, 'qas').map((question) => ({
    ...reading(text, question, entities, answersOf(question)),
    key: `${indexOf(question, 'idx')}`,
  }));
};

/** One statement, as the Hub has it. */
export const readRecordRow: RowReader = (values) => [
  reading(rawTextOf(values, 'passage'), values, strings(values, 'entities'), strings(values, 'answers')),
];

function reading(
  passage: string,
  question: Values,
  entities: readonly string[],
  answers: readonly string[],
): RowReading {
  const candidates = [...new Set(entities)];
  const query = textOf(question, 'query');
  if (!query.includes(PLACEHOLDER)) {
    throw new RowProblem(`the query has no ${PLACEHOLDER}`, 'Correct it or take it out');
  }
  const shared = { text: flowing(passage), pair: query, candidates };
  // Where the answers are hidden, the archive leaves them out and the Hub has an empty list.
  if (answers.length === 0) return { ...shared, label: undefined };
  const label = candidates.findIndex((candidate) => answers.includes(candidate));
  if (label >= 0) return { ...shared, answers: [...new Set(answers)], label };
  throw new RowProblem('none of its answers is an entity of the passage', 'Correct it or take it out');
}

/** Where a query has its gap. */
export const PLACEHOLDER = '@placeholder';

function answersOf(question: Values): readonly string[] {
  if (question.answers === undefined) return [];
  return objectsOf(question, 'answers').map((answer) => textOf(answer, 'text'));
}

function strings(values: Values, column: string): readonly string[] {
  return listOf(values, column).map((item) => textOf({ [column]: item }, column));
}

/** Highlights of an article as sentences that follow it. */
function flowing(passage: string): string {
  return passage
    .replace(/([.?!"'])?\n@highlight\n/g, (_, end: string | undefined) => `${end ?? '.'} `)
    .replace(/\s+/g, ' ')
    .trim();
}
