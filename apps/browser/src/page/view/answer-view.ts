import type { ModelDescription } from '../model/description.js';
import type { Answer } from '../model/open-model.js';
import { placePrompt, placeText } from '../sequence/place-prompt.js';
import { answerBars, answerNumber } from './answer-bars.js';
import { byId, element } from './elements.js';
import { tokenRow } from './token-row.js';

/** Shows what the model says, and what it has read. */
export function showAnswer(description: ModelDescription, answer: Answer): void {
  const { labels, placement, slots } = description;
  const { values, choice, tokens, layout, isCut, milliseconds } = answer;
  const isNumber = description.answer === 'number';
  byId('bars', HTMLDivElement).replaceChildren(
    isNumber ? answerNumber(values[0] ?? NaN) : answerBars(labels, values),
  );
  const sequence = choice === undefined ? tokens : placePrompt(tokens, layout, placement, choice);
  byId('tokens', HTMLDivElement).replaceChildren(tokenRow(sequence, layout));
  const notes = [
    choice === undefined
      ? 'Where the prompt stands is not known: export with --report-choices to see it.'
      : `Prompt: ${choice.length} of ${slots} tokens, ${placeText(placement, choice, layout.content)}.`,
    ...(isCut ? ['The text is longer than the model takes; its end was cut.'] : []),
  ];
  const place = byId('place', HTMLDivElement);
  place.replaceChildren(...notes.map((note) => element('p', 'note', note)));
  place.dataset.position = choice === undefined ? '' : String(choice.position);
  place.dataset.length = choice === undefined ? '' : String(choice.length);
  byId('summary', HTMLParagraphElement).textContent =
    `${summaryOf(description, values)} Computed in ${milliseconds.toFixed(0)} ms.`;
  byId('result', HTMLElement).hidden = false;
}

function summaryOf({ answer, labels }: ModelDescription, values: readonly number[]): string {
  if (answer === 'number') return `The answer is ${(values[0] ?? NaN).toFixed(3)}.`;
  const most = Math.max(...values);
  return `Most probable: ${labels[values.indexOf(most)] ?? ''}, ${(100 * most).toFixed(1)} %.`;
}
