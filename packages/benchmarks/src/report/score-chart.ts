import type { RunResults } from '../results/schema.js';
import { markup, type Markup } from './markup.js';
import { linearScale, paddedRange } from './scale.js';
import { formatMeanAndStd, formatScore, metricTitle, scoreRange } from './score-format.js';
import { seriesStyles } from './stylesheet.js';

const WIDTH = 720;
const RIGHT = 24;
const TOP = 26;
const ROW = 38;
const BOTTOM = 44;
/** Room for the majority line's name on both sides of it. */
const HALF_NAME = 72;

/** Draws the final score of every seed, one row a method, with the mean, its interval and the majority line. */
export function scoreChart(results: RunResults): Markup {
  const methods = Object.entries(results.methods);
  const [lowest, highest] = scoreRange(results.metric);
  const left = Math.min(300, 40 + 8 * Math.max(...methods.map(([name]) => name.length)));
  const scores = [results.majority.score, ...methods.flatMap(([, method]) => method.final)];
  const [low, high] = paddedRange(scores, 0.15);
  const range = [Math.max(lowest, low), Math.min(highest, high)] as const;
  const across = linearScale(range, [left, WIDTH - RIGHT], 6);
  const x = (score: number) => across.position(Math.min(range[1], Math.max(range[0], score))).toFixed(1);
  const floor = TOP + methods.length * ROW;
  return markup`
<svg viewBox="0 0 ${WIDTH} ${floor + BOTTOM}" role="img" aria-label="Final scores by method and seed">
  <title>Final scores by method and seed</title>
  ${across.ticks.map(
    (tick) => markup`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${floor}"/>
  <text x="${x(tick)}" y="${floor + 18}" text-anchor="middle">${Number((tick * 100).toFixed(1))}</text>`,
  )}
  <text class="axis-title" x="${(left + WIDTH - RIGHT) / 2}" y="${floor + 38}" text-anchor="middle">${metricTitle(results.metric)}</text>
  <line class="reference" x1="${x(results.majority.score)}" x2="${x(results.majority.score)}" y1="${TOP - 4}" y2="${floor}"/>
  <text class="reference-name" x="${Math.min(across.position(results.majority.score), WIDTH - HALF_NAME).toFixed(1)}" y="${TOP - 9}" text-anchor="middle">majority class ${formatScore(results.majority.score)}</text>
  ${methods.map(([name, method], row) => {
    const y = TOP + (row + 0.5) * ROW;
    const style = row % seriesStyles;
    return markup`<text x="${left - 12}" y="${y + 4}" text-anchor="end" class="row-name">${name}</text>
  ${
    method.confidence === null
      ? []
      : markup`<line class="interval series-${style}" x1="${x(method.confidence.low)}" x2="${x(method.confidence.high)}" y1="${y}" y2="${y}"/>`
  }
  <line class="mean-mark series-${style}" x1="${x(method.mean)}" x2="${x(method.mean)}" y1="${y - 12}" y2="${y + 12}"><title>${name}, mean ${formatMeanAndStd(method)}</title></line>
  ${method.final.map(
    (score, index) =>
      markup`<circle class="dot series-${style}" cx="${x(score)}" cy="${y}" r="5"><title>${name}, seed ${method.seeds[index] ?? index}: ${formatScore(score)}</title></circle>`,
  )}`;
  })}
</svg>`;
}
