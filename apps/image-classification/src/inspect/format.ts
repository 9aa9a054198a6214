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

/** How an adapter sees and answers one picture. */
export interface Inspection {
  readonly picture: string;
  readonly answer: Answer;
  /** Absent where the adapter is a head alone. */
  readonly prompt: InspectedPrompt | undefined;
  /** What each tower of a dual encoder reads, the one with the prompt first; absent where there is one tower. */
  readonly sequences?: readonly (readonly InspectedPart[])[];
}

/** What a prompt stands in, in words. */
interface PromptedInput {
  readonly words: string;
  readonly pronoun: string;
}

const patches: PromptedInput = { words: 'the patches', pronoun: 'them' };
const className: PromptedInput = { words: 'the name', pronoun: 'it' };

/** Several lines for people. */
export function plainInspection(
  { picture, answer, prompt, sequences }: Inspection,
  palette: Palette,
): string {
  const input = sequences?.[0]?.some(isPatches) === false ? className : patches;
  const lines = [
    ...(prompt === undefined
      ? [['prompt', 'none: the adapter is a head alone']]
      : [
          ['position', placeText(prompt, input)],
          ['length', lengthText(prompt)],
          ...(prompt.weights === undefined ? [] : [['pool', poolText(prompt.weights)]]),
        ]),
    ['prediction', answerText(answer, (text) => palette.strong(text))],
  ];
  return [
    picture,
    ...(sequences?.map((sequence) => sequenceText(sequence, palette)) ?? [drawn(prompt, palette)]).map(
      (text) => `  ${text}`,
    ),
    ...lines.map(([name = '', text = '']) => `  ${name.padEnd(10)}  ${text}`),
  ].join('\n');
}

/** One JSON object. */
export function jsonInspection({ picture, answer, prompt, sequences }: Inspection): string {
  return JSON.stringify({ picture, ...probabilitiesOf(answer), prompt: promptOf(prompt), sequences });
}

function isPatches(part: InspectedPart): boolean {
  return typeof part === 'object' && 'patches' in part;
}

/** Prompt tokens that are drawn one by one; of more in a row, the first and the last. */
const longestRun = 6;

/** `‹p1 p2› patches ‹p3›`; of an inserted prompt the share of the patches before it. */
function drawn(prompt: InspectedPrompt | undefined, palette: Palette): string {
  if (prompt === undefined) return 'patches';
  const { length, choice, position } = prompt;
  const run = (first: number, last: number): readonly string[] => {
    if (last < first) return [];
    const names = Array.from({ length: last - first + 1 }, (_, index) => `p${first + index}`);
    const shown = names.length > longestRun ? [names[0], '…', names.at(-1)] : names;
    return [palette.prompt(`‹${shown.join(' ')}›`)];
  };
  if (position.mode === 'split') {
    const front = Math.min(choice, length);
    return [...run(1, front), 'patches', ...run(front + 1, length)].join(' ');
  }
  const before = shareBefore(prompt);
  return [...(before > 0 ? ['patches'] : []), ...run(1, length), ...(before < 1 ? ['patches'] : [])].join(
    ' ',
  );
}

function placeText(prompt: InspectedPrompt, { words, pronoun }: PromptedInput): string {
  const { choice, position, length } = prompt;
  const front = Math.min(choice, length);
  const where =
    position.mode === 'split'
      ? `prompt tokens before ${words}: ${front}, after ${pronoun}: ${length - front}`
      : `share of ${words} before the prompt: ${(100 * shareBefore(prompt)).toFixed(0)} %`;
  return `${choice} of 0…${position.candidates - 1}: ${where}`;
}

/** Anchors are spread evenly, from before the first patch to behind the last. */
function shareBefore({ choice, position }: InspectedPrompt): number {
  return position.candidates === 1 ? 0 : choice / (position.candidates - 1);
}
