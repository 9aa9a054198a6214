import { type InspectedPrompt, lengthText, type Palette, poolText, promptOf } from '@dynaprompt/runner';

import { textsOf } from '../predict/format.js';
import { answerFields, answerWords } from '../predict/text-answer.js';
import type { Inspection } from './inspection.js';
import { beforePlace, type SequencePart } from './sequence.js';

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
    `  ${drawn(sequence, palette)}`,
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

/** Prompt tokens that are drawn one by one; of more in a row, the first and the last. */
const longestRun = 6;

/** `[CLS] ‹p1 p2› a fine film ‹p3› [SEP]` */
function drawn(sequence: readonly SequencePart[], palette: Palette): string {
  const words: string[] = [];
  let run: string[] = [];
  const endRun = (): void => {
    if (run.length === 0) return;
    const shown = run.length > longestRun ? [run[0], '…', run.at(-1)] : run;
    words.push(palette.prompt(`‹${shown.join(' ')}›`));
    run = [];
  };
  for (const part of sequence) {
    if (typeof part === 'object') {
      run.push(`p${part.prompt}`);
    } else {
      endRun();
      words.push(part);
    }
  }
  endRun();
  return words.join(' ');
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
