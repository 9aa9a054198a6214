import type { CurvePoint } from '../results/schema.js';
import { markup, type Markup } from './markup.js';
import { linearScale, paddedRange } from './scale.js';

/*
 * Charts are SVG written here instead of a charting script such as uPlot: static curves then need no script at all (the
 * report's content security policy forbids them), three charts take 19 kB where uPlot alone takes 50 kB, and they print,
 * follow light and dark through the stylesheet, and name every line to a screen reader by its title.
 */

/** A thick line with the thin lines of single seeds behind it. */
export interface ChartSeries {
  readonly name: string;
  /** Number of the colour and dash pattern. */
  readonly style: number;
  readonly mean: readonly CurvePoint[];
  readonly seeds: readonly { readonly seed: number; readonly points: readonly CurvePoint[] }[];
}

/** What a chart shows. */
export interface LineChart {
  /** Read out for the whole chart. */
  readonly title: string;
  readonly valueTitle: string;
  readonly format: (value: number) => string;
  readonly series: readonly ChartSeries[];
  /** Where the step axis ends. */
  readonly lastStep: number;
  /** A horizontal line to compare with. */
  readonly reference?: { readonly name: string; readonly value: number };
}

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 58;
const RIGHT = 14;
const TOP = 26;
const BOTTOM = 44;

/** Draws values over training steps. */
export function lineChart(chart: LineChart): Markup {
  const points = chart.series
    .flatMap((series) => [series.mean, ...series.seeds.map((seed) => seed.points)])
    .flat();
  if (points.length === 0) return markup`<p class="note">Nothing was recorded.</p>`;
  const reference = chart.reference === undefined ? [] : [chart.reference.value];
  const across = linearScale([0, chart.lastStep], [LEFT, WIDTH - RIGHT], 8);
  const upward = linearScale(
    paddedRange([...reference, ...points.map((point) => point.value)], 0.06),
    [HEIGHT - BOTTOM, TOP],
    5,
  );
  const place = ({ step, value }: CurvePoint) =>
    `${across.position(step).toFixed(1)},${upward.position(value).toFixed(1)}`;
  const path = (line: readonly CurvePoint[]) => line.map(place).join(' ');
  return markup`
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${chart.title}">
  <title>${chart.title}</title>
  ${upward.ticks.map((tick) => horizontalTick(upward.position(tick), chart.format(tick)))}
  ${across.ticks
    .filter(Number.isInteger)
    .map(
      (tick) =>
        markup`<text x="${across.position(tick).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}</text>`,
    )}
  <line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/>
  <text class="axis-title" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">training step</text>
  <text class="axis-title" x="6" y="14">${chart.valueTitle}</text>
  ${chart.reference === undefined ? [] : referenceLine(upward.position(chart.reference.value), chart.reference.name)}
  ${chart.series.flatMap((series) =>
    series.seeds.map(
      ({ seed, points: line }) =>
        markup`<polyline class="seed series-${series.style}" points="${path(line)}"><title>${series.name}, seed ${seed}</title></polyline>`,
    ),
  )}
  ${chart.series.map(
    (series) =>
      markup`<polyline class="mean series-${series.style}" points="${path(series.mean)}"><title>${series.name}, mean of ${series.seeds.length} seeds</title></polyline>`,
  )}
</svg>`;
}

function horizontalTick(y: number, text: string): Markup {
  return markup`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>
  <text x="${LEFT - 8}" y="${(y + 4).toFixed(1)}" text-anchor="end">${text}</text>`;
}

function referenceLine(y: number, name: string): Markup {
  return markup`<line class="reference" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>
  <text class="reference-name" x="${WIDTH - RIGHT}" y="${(y - 5).toFixed(1)}" text-anchor="end">${name}</text>`;
}
