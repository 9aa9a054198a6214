import type { RunResults } from '../results/schema.js';
import { comparisonsOf, signed } from './comparison-table.js';
import { markup, type Markup } from './markup.js';
import { linearScale, paddedRange } from './scale.js';
import { seriesStyles } from './stylesheet.js';

const WIDTH = 720;
const RIGHT = 24;
const TOP = 26;
const ROW = 40;
const BOTTOM = 44;

/** Differences from the reference, with the interval over seeds and, thinner below it, over examples; empty for a single method. */
export function differenceChart(results: RunResults): Markup {
  const comparisons = comparisonsOf(results);
  if (comparisons === undefined || comparisons.methods.length === 0) return markup``;
  const { reference, methods } = comparisons;
  const names = Object.keys(results.methods);
  const left = Math.min(300, 40 + 8 * Math.max(...methods.map(({ method }) => method.length)));
  const ends = methods.flatMap(({ bootstrap, difference }) => [
    difference,
    ...(bootstrap === null ? [] : [bootstrap.low, bootstrap.high]),
  ]);
  // Student's interval of two seeds can be wider than all scores; it is cut, as the score chart does.
  const reach = Math.max(...ends.map(Math.abs), 0.01);
  const near = (value: number) => Math.min(2 * reach, Math.max(-2 * reach, value));
  const intervals = methods.flatMap(({ interval }) =>
    interval === null ? [] : [near(interval.low), near(interval.high)],
  );
  const range = paddedRange([0, ...ends, ...intervals], 0.08);
  const across = linearScale(range, [left, WIDTH - RIGHT], 6);
  const x = (value: number) => across.position(Math.min(range[1], Math.max(range[0], value))).toFixed(1);
  const floor = TOP + methods.length * ROW;
  const title = `Differences from ${reference}, with intervals`;
  return markup`
<svg viewBox="0 0 ${WIDTH} ${floor + BOTTOM}" role="img" aria-label="${title}">
  <title>${title}</title>
  ${across.ticks.map(
    (tick) => markup`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${floor}"/>
  <text x="${x(tick)}" y="${floor + 18}" text-anchor="middle">${tick === 0 ? '0' : signed(tick, decimals(across.ticks))}</text>`,
  )}
  <text class="axis-title" x="${(left + WIDTH - RIGHT) / 2}" y="${floor + 38}" text-anchor="middle">difference of the score × 100</text>
  <line class="reference" x1="${x(0)}" x2="${x(0)}" y1="${TOP - 4}" y2="${floor}"/>
  <text class="reference-name" x="${x(0)}" y="${TOP - 9}" text-anchor="middle">${reference}</text>
  ${methods.map(({ method, difference, interval, bootstrap }, row) => {
    const y = TOP + (row + 0.5) * ROW;
    const style = names.indexOf(method) % seriesStyles;
    return markup`<text x="${left - 12}" y="${y + 4}" text-anchor="end" class="row-name">${method}</text>
  ${
    interval === null
      ? []
      : markup`<line class="interval series-${style}" x1="${x(interval.low)}" x2="${x(interval.high)}" y1="${y}" y2="${y}"><title>${method}, over seeds: ${signed(interval.low, 1)} to ${signed(interval.high, 1)}</title></line>`
  }
  ${
    bootstrap === null
      ? []
      : markup`<line class="whisker series-${style}" x1="${x(bootstrap.low)}" x2="${x(bootstrap.high)}" y1="${y + 10}" y2="${y + 10}"><title>${method}, over examples: ${signed(bootstrap.low, 1)} to ${signed(bootstrap.high, 1)}</title></line>`
  }
  <circle class="dot series-${style}" cx="${x(difference)}" cy="${y}" r="5"><title>${method}: ${signed(difference, 2)}</title></circle>`;
  })}
</svg>`;
}

/** Digits that tell the ticks apart, in hundredths of the score. */
function decimals([first = 0, second = 1]: readonly number[]): number {
  return Math.min(4, Math.max(0, Math.ceil(-Math.log10((second - first) * 100) - 1e-9)));
}
