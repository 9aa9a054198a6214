import type { RowReader, RowReading } from '../rows/row-reader.js';
import { indexOf, objectOf, objectsOf, textOf } from '../rows/values.js';

/** Every answer to every question about a passage, as the archive nests them. */
export const readMultiRc: RowReader = (values) => {
  const passage = objectOf(values, 'passage');
  const paragraph = textOf(passage, 'text');
  return objectsOf(passage, 'questions').flatMap((question) =>
    objectsOf(question, 'answers').map((answer) =>
      reading({
        paragraph,
        question: textOf(question, 'question'),
        answer: textOf(answer, 'text'),
        indices: [indexOf(values, 'idx'), indexOf(question, 'idx'), indexOf(answer, 'idx')],
        label: answer.label,
      }),
    ),
  );
};

/** One answer, as the Hub has it. */
export const readMultiRcRow: RowReader = (values) => {
  const indices = objectOf(values, 'idx');
  return [
    reading({
      paragraph: textOf(values, 'paragraph'),
      question: textOf(values, 'question'),
      answer: textOf(values, 'answer'),
      indices: [indexOf(indices, 'paragraph'), indexOf(indices, 'question'), indexOf(indices, 'answer')],
      label: values.label,
    }),
  ];
};

interface Answer {
  readonly paragraph: string;
  readonly question: string;
  readonly answer: string;
  /** Of paragraph, question and answer. */
  readonly indices: readonly [number, number, number];
  readonly label: unknown;
}

function reading({ paragraph, question, answer, indices, label }: Answer): RowReading {
  const [ofParagraph, ofQuestion, ofAnswer] = indices;
  const group = `${ofParagraph}/${ofQuestion}`;
  // Some passages carry mark-up of sentences.
  const text = paragraph
    .replace(/<br\s*\/?>/g, ' ')
    .replace(/<\/?b>/g, '')
    .trim();
  return { key: `${group}/${ofAnswer}`, text, pair: `${question} Is it ${answer}?`, group, label };
}
