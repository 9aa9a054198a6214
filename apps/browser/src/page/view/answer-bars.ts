import { element } from './elements.js';

/** A bar for each class, in the order of the labels. */
export function answerBars(labels: readonly string[], probabilities: readonly number[]): HTMLElement {
  const best = probabilities.indexOf(Math.max(...probabilities));
  const rows = labels.map((label, index) => {
    const probability = probabilities[index] ?? 0;
    const bar = element('span', 'fill');
    bar.style.width = `${100 * probability}%`;
    const track = element('span', 'track', bar);
    track.ariaHidden = 'true';
    const row = element(
      'li',
      index === best ? 'answer best' : 'answer',
      element('span', 'label', label),
      track,
      element('span', 'value', `${(100 * probability).toFixed(1)} %`),
    );
    row.dataset.label = label;
    row.dataset.probability = String(probability);
    return row;
  });
  return element('ul', 'answers', ...rows);
}

/** The answer of a model that gives a number. */
export function answerNumber(value: number): HTMLElement {
  const shown = element('p', 'number', value.toFixed(3));
  shown.dataset.value = String(value);
  return shown;
}
