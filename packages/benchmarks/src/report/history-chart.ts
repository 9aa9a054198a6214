import type { ChoiceHistory } from './choice-history.js';
import { markup, type Markup } from './markup.js';

const WIDTH = 720;
const LEFT = 58;
const RIGHT = 14;
const TOP = 30;
const BOTTOM = 44;
const MOST_LABELS = 12;
/** Smaller shares than this leave no trace of colour. */
const LEAST_SHARE = 0.004;

/** A column for each evaluation and a row for each choice; the colour is the share of the examples, the line the mean choice. */
export function historyChart({ name, factor, steps, shares, means }: ChoiceHistory): Markup {
  const choices = shares[0]?.length ?? 0;
  const row = Math.max(6, Math.min(18, 220 / choices));
  const column = (WIDTH - LEFT - RIGHT) / steps.length;
  const floor = TOP + choices * row;
  const y = (choice: number) => floor - (choice + 1) * row;
  const middle = (index: number) => LEFT + (index + 0.5) * column;
  const every = Math.ceil(choices / MOST_LABELS);
  const stepEvery = Math.ceil(steps.length / MOST_LABELS);
  const title = `${factor} that ${name} chose over training`;
  const line = means.map((mean, index) => `${middle(index).toFixed(1)},${(y(mean) + row / 2).toFixed(1)}`);
  return markup`
<svg viewBox="0 0 ${WIDTH} ${(floor + BOTTOM).toFixed(1)}" role="img" aria-label="${title}">
  <title>${title}</title>
  <text class="axis-title" x="6" y="14">${factor}: share of the validation examples</text>
  <rect class="matrix" x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${(choices * row).toFixed(1)}"/>
  ${shares.flatMap((of, index) =>
    of.flatMap((share, choice) =>
      share < LEAST_SHARE
        ? []
        : [
            markup`<rect class="cell" x="${(LEFT + index * column).toFixed(1)}" y="${y(choice).toFixed(1)}" width="${column.toFixed(1)}" height="${row.toFixed(1)}" fill-opacity="${Number(share.toFixed(3))}"><title>step ${steps[index] ?? 0}, ${factor} ${choice}: ${(100 * share).toFixed(1)}%</title></rect>`,
          ],
    ),
  )}
  <polyline class="halo" points="${line.join(' ')}"/>
  <polyline class="mean series-1" points="${line.join(' ')}"><title>mean ${factor}</title></polyline>
  ${Array.from({ length: choices }, (_, choice) => choice).flatMap((choice) =>
    choice % every === 0
      ? [
          markup`<text x="${LEFT - 8}" y="${(y(choice) + row / 2 + 4).toFixed(1)}" text-anchor="end">${choice}</text>`,
        ]
      : [],
  )}
  ${steps.flatMap((step, index) =>
    index % stepEvery === 0
      ? [
          markup`<text x="${middle(index).toFixed(1)}" y="${(floor + 16).toFixed(1)}" text-anchor="middle">${step}</text>`,
        ]
      : [],
  )}
  <text class="axis-title" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${(floor + 38).toFixed(1)}" text-anchor="middle">training step</text>
</svg>`;
}
