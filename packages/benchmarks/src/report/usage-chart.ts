import { markup, type Markup } from './markup.js';
import type { UsageGroup, UsagePanel } from './usage.js';

const WIDTH = 720;
const HEIGHT = 164;
const TOP = 44;
const BOTTOM = 22;
const GAP = 28;
/** Labels below the bars of a panel; more are thinned out. */
const MOST_LABELS = 12;

/** Bars of what was chosen, a panel for each factor, all on the scale 0 … 100%. */
export function usageChart({ name, panels }: UsageGroup): Markup {
  const width = (WIDTH - GAP * (panels.length - 1)) / panels.length;
  return markup`
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="What ${name} chose">
  <title>What ${name} chose</title>
  ${panels.map((panel, index) => panelBars(panel, index * (width + GAP), width))}
</svg>`;
}

function panelBars({ title, labels, bars }: UsagePanel, left: number, width: number): Markup {
  const slot = width / labels.length;
  const bar = (slot * 0.8) / bars.length;
  const floor = HEIGHT - BOTTOM;
  const every = Math.ceil(labels.length / MOST_LABELS);
  return markup`<text class="axis-title" x="${left.toFixed(1)}" y="14">${title}</text>
  ${bars.length === 1 ? [] : bars.map((series, place) => legend(series.name, place, left))}
  <line class="grid" x1="${left.toFixed(1)}" x2="${(left + width).toFixed(1)}" y1="${TOP}" y2="${TOP}"/>
  ${bars.flatMap((series, place) =>
    series.shares.map((share, choice) => {
      const height = share * (floor - TOP);
      const x = left + (choice + 0.1) * slot + place * bar;
      return markup`<rect class="bar ${place === 0 ? 'first' : 'second'}" x="${x.toFixed(1)}" y="${(floor - height).toFixed(1)}" width="${bar.toFixed(1)}" height="${height.toFixed(1)}"><title>${title} ${labels[choice] ?? ''}, ${series.name}: ${(100 * share).toFixed(1)}%</title></rect>`;
    }),
  )}
  <line class="axis" x1="${left.toFixed(1)}" x2="${(left + width).toFixed(1)}" y1="${floor}" y2="${floor}"/>
  ${labels.flatMap((label, choice) =>
    choice % every === 0
      ? [
          markup`<text x="${(left + (choice + 0.5) * slot).toFixed(1)}" y="${floor + 16}" text-anchor="middle">${label}</text>`,
        ]
      : [],
  )}`;
}

/** Which bars mean what, one beside the other. */
function legend(name: string, place: number, left: number): Markup {
  const x = left + place * 112;
  return markup`<rect class="key${place === 0 ? '' : ' second'}" x="${x.toFixed(1)}" y="24" width="9" height="9"/><text x="${(x + 13).toFixed(1)}" y="32">${name}</text>`;
}
