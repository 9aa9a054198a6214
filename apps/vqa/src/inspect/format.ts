import type { InspectedPart } from '@dynaprompt/benchmarks';
import {
  type Answer,
  answerText,
  type InspectedPrompt,
  lengthText,
  type Palette,
  poolText,
  probabilitiesOf,
  promptOf,
  sequenceText,
} from '@dynaprompt/runner';

/** How an adapter reads and answers one question. */
export interface Inspection {
  readonly picture: string;
  readonly question: string;
  readonly answer: Answer;
  /** Absent where the adapter is a head alone. */
  readonly prompt: InspectedPrompt | undefined;
  /** What each tower reads, the one with the prompt first. */
  readonly sequences: readonly (readonly InspectedPart[])[];
}

/** Several lines for people. */
export function plainInspection(inspection: Inspection, palette: Palette): string {
  const { picture, question, answer, prompt, sequences } = inspection;
  const lines = [
    ...(prompt === undefined
      ? [['prompt', 'none: the adapter is a head alone']]
      : [
          ['position', placeText(prompt)],
          ['length', lengthText(prompt)],
          ...(prompt.weights === undefined ? [] : [['pool', poolText(prompt.weights)]]),
        ]),
    ['prediction', answerText(answer, (text) => palette.strong(text))],
  ];
  return [
    `${picture}  ${question}`,
    ...sequences.map((sequence) => `  ${sequenceText(sequence, palette)}`),
    ...lines.map(([name = '', text = '']) => `  ${name.padEnd(10)}  ${text}`),
  ].join('\n');
}

/** One JSON object. */
export function jsonInspection({ picture, question, answer, prompt, sequences }: Inspection): string {
  return JSON.stringify({
    picture,
    question,
    ...probabilitiesOf(answer),
    sequences,
    prompt: promptOf(prompt),
  });
}

function placeText({ choice, position, length }: InspectedPrompt): string {
  const { mode, candidates } = position;
  const front = Math.min(choice, length);
  const where =
    mode === 'split'
      ? `prompt tokens in front: ${front}, behind: ${length - front}`
      : `share of the input before the prompt: ${((100 * choice) / Math.max(1, candidates - 1)).toFixed(0)} %`;
  return `${choice} of 0…${candidates - 1}: ${where}`;
}
