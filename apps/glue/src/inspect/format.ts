import { probabilitiesOf, textsOf } from '../predict/format.js';
import type { Palette } from './colour.js';
import type { InspectedPrompt, Inspection } from './inspection.js';
import { beforePlace, type SequencePart } from './sequence.js';

/** Several lines for people. */
export function plainInspection(inspection: Inspection, palette: Palette): string {
  const { example, sequence, prompt, answer } = inspection;
  const others = answer.probabilities
    .filter(([name]) => name !== answer.label)
    .map(([name, probability]) => `${name} ${probability.toFixed(4)}`);
  const lines = [
    ...(prompt === undefined
      ? [['prompt', 'none: the adapter is a head alone']]
      : [
          ['position', placeText(inspection, prompt)],
          ['length', `${prompt.length} of ${prompt.slots} tokens${layersText(prompt)}`],
          ...(prompt.weights === undefined ? [] : [['pool', poolText(prompt.weights)]]),
        ]),
    ['prediction', `${palette.strong(answer.label)} ${answer.probability.toFixed(4)} (${others.join(', ')})`],
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
    ...probabilitiesOf(answer),
    sequence,
    prompt:
      prompt === undefined
        ? null
        : {
            slots: prompt.slots,
            length: prompt.length,
            layers: prompt.layers,
            position: { ...prompt.position, choice: prompt.choice },
            pool: prompt.weights ?? null,
          },
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

function layersText({ layers }: InspectedPrompt): string {
  return layers === 1 ? '' : `, others in each of ${layers} layers`;
}

/** Entries by weight, the heaviest first. */
function poolText(weights: readonly number[]): string {
  return weights
    .map((weight, entry) => ({ weight, entry }))
    .sort((left, right) => right.weight - left.weight)
    .map(({ weight, entry }) => `entry ${entry}: ${weight.toFixed(3)}`)
    .join(', ');
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
