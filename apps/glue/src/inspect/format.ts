import {
  type InspectedPrompt,
  lengthText,
  type Palette,
  poolText,
  promptOf,
  sequenceText,
} from '@dynaprompt/runner';

import { textsOf } from '../predict/format.js';
import { answerFields, answerWords } from '../predict/text-answer.js';
import type { Inspection } from './inspection.js';
import { beforePlace } from './sequence.js';

/** Several lines for people. */
export function plainInspection(inspection: Inspection, palette: Palette): string {
  const { example, sequence, prompt, answer } = inspection;
  const lines = [
    ...(prompt === undefined
      ? [['prompt', 'none: the adapter is a head alone']]
      : [
          ['position', placeText(inspection, prompt)],
          ['length', lengthText(prompt)],
          ...(prompt.weights === undefined ? [] : [['pool', poolText(prompt.weights)]]),
        ]),
    ['prediction', answerWords(answer, (text) => palette.strong(text))],
  ];
  const texts = [example.text, example.pair].filter((text) => text !== undefined);
  return [
    texts.map(oneLine).join(' | '),
    `  ${sequenceText(sequence, palette)}`,
    ...lines.map(([name = '', text = '']) => `  ${name.padEnd(10)}  ${text}`),
  ].join('\n');
}

/** One JSON object. */
export function jsonInspection({ example, answer, sequence, prompt }: Inspection): string {
  return JSON.stringify({
    ...textsOf(example),
    ...answerFields(answer),
    sequence,
    prompt: promptOf(prompt),
  });
}

function placeText({ read }: Inspection, prompt: InspectedPrompt): string {
  const { choice, position, length } = prompt;
  const before = beforePlace(read, prompt);
  const where =
    position.mode === 'split'
      ? `prompt tokens before the text: ${before.prompt}, after it: ${length - before.prompt}`
      : `tokens of the text before the prompt: ${before.text}, after it: ${read.layout.content - before.text}`;
  return `${choice} of 0…${position.candidates - 1}: ${where}`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
