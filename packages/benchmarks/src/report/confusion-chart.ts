import type { ConfusionMatrix } from '../metrics/confusion.js';
import { markup, type Markup } from './markup.js';

/**
 * Where the colour of a cell is so strong that its number needs the other ink: in dark pages, and in light ones too. There black and
 * white are equally legible, 4.58 : 1.
 */
const inkTurns = { dark: 0.627, light: 0.863 } as const;
/** Most classes whose cells hold their numbers, and whose empty cells are drawn. */
const MOST_NUMBERED = 12;
const MOST_COMPLETE = 40;
/** Most characters of a class name; the whole name is in its title. */
const MOST_CHARACTERS = 24;
/** Room for the titles of the axes. */
const TITLE = 22;

/**
 * A confusion matrix with a row for each true and a column for each predicted class. The colour of a cell is its share of its row;
 * each cell says in its title what it counts. Of more than 40 classes only cells that occurred and the diagonal are drawn, which
 * keeps a report of 100 classes small. Wider than the page from some 60 classes on: to be put where it can be scrolled.
 */
export function confusionChart(title: string, matrix: ConfusionMatrix, classes: readonly string[]): Markup {
  const count = classes.length;
  const cell = count <= MOST_NUMBERED ? 44 : count <= MOST_COMPLETE ? 22 : 13;
  const font = count <= MOST_COMPLETE ? 12 : 10;
  const longest = Math.min(MOST_CHARACTERS, Math.max(...classes.map((name) => name.length)));
  const margin = TITLE + 10 + Math.ceil(longest * font * 0.6);
  const size = count * cell;
  const whole = margin + size + 8;
  const names = classes.map((name, index) => nameOf(name, margin, margin + (index + 0.5) * cell, font));
  return markup`
<svg viewBox="0 0 ${whole} ${whole}" style="min-width:${Math.min(whole, 12 * count + margin)}px;max-width:${whole}px" role="img" aria-label="${title}">
  <title>${title}</title>
  <rect class="matrix" x="${margin}" y="${margin}" width="${size}" height="${size}"/>
  <text class="axis-title" x="${margin + size / 2}" y="14" text-anchor="middle">predicted class</text>
  <text class="axis-title" transform="translate(14 ${margin + size / 2}) rotate(-90)" text-anchor="middle">true class</text>
  ${names.flatMap(({ row, column }) => [row, column])}
  ${matrix.map((counts, row) => markup`${cellsOf(counts, row, { classes, cell, margin })}`)}
  ${count > MOST_NUMBERED ? guides(count, cell, margin) : []}
</svg>`;
}

/** The name of a class at the left of its row and above its column. */
function nameOf(
  name: string,
  margin: number,
  middle: number,
  font: number,
): { readonly row: Markup; readonly column: Markup } {
  const characters = Array.from(name);
  const short =
    characters.length > MOST_CHARACTERS ? `${characters.slice(0, MOST_CHARACTERS - 1).join('')}…` : name;
  const place = (middle + font * 0.35).toFixed(1);
  const text = markup`<title>${name}</title>${short}`;
  return {
    row: markup`<text class="class-name" style="font-size:${font}px" x="${margin - 6}" y="${place}" text-anchor="end">${text}</text>`,
    column: markup`<text class="class-name" style="font-size:${font}px" transform="translate(${place} ${margin - 6}) rotate(-90)">${text}</text>`,
  };
}

function cellsOf(
  counts: readonly number[],
  row: number,
  {
    classes,
    cell,
    margin,
  }: { readonly classes: readonly string[]; readonly cell: number; readonly margin: number },
): readonly Markup[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const y = margin + row * cell;
  return counts.flatMap((count, column) => {
    if (count === 0 && column !== row && classes.length > MOST_COMPLETE) return [];
    const share = total === 0 ? 0 : count / total;
    const x = margin + column * cell;
    const number =
      count === 0 || classes.length > MOST_NUMBERED
        ? []
        : markup`<text class="${inkOf(share)}" x="${x + cell / 2}" y="${y + cell / 2 + 4}" text-anchor="middle">${count}</text>`;
    const what = `${classes[row] ?? row} taken for ${classes[column] ?? column}`;
    const said = `${row === column ? `${classes[row] ?? row} recognised` : what}: ${count} of ${total} (${(100 * share).toFixed(1)}%)`;
    return [
      markup`<g><title>${said}</title><rect class="cell" x="${x}" y="${y}" width="${cell}" height="${cell}" fill-opacity="${Number(share.toFixed(3))}"/>${number}</g>`,
    ];
  });
}

/** Which ink a number is legible in: on the page's side, the other one, or that depending on light and dark. */
function inkOf(share: number): string {
  if (share >= inkTurns.light) return 'cell-count strong';
  return share >= inkTurns.dark ? 'cell-count middle' : 'cell-count';
}

/** Thin lines at every tenth class, for the eye to follow. */
function guides(count: number, cell: number, margin: number): readonly Markup[] {
  const end = margin + count * cell;
  return Array.from({ length: Math.ceil(count / 10) - 1 }, (_, index) => {
    const at = margin + 10 * (index + 1) * cell;
    return markup`<line class="guide" x1="${margin}" x2="${end}" y1="${at}" y2="${at}"/><line class="guide" x1="${at}" x2="${at}" y1="${margin}" y2="${end}"/>`;
  });
}
