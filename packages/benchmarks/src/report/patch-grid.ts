import type { InspectedPart, Inspection } from '../results/inspections.js';
import { markup, type Markup } from './markup.js';

/** Edge of the drawing in its own units; it is scaled to the page. */
const SIZE = 420;
/** Room above the grid for the name of a prompt in front of it. */
const MARGIN = 22;

/** A run of prompt tokens, and the number of patches before it. */
interface PromptRun {
  readonly before: number;
  readonly first: number;
  readonly last: number;
}

type PictureInput = Extract<Inspection['input'], { readonly kind: 'picture' }>;

/** A picture with the patches that the model cuts it into, in reading order, and the prompt between those where it stands. */
export function patchGrid(
  id: string,
  { rows, columns, thumbnail }: PictureInput,
  sequence: readonly InspectedPart[],
): Markup {
  const cell = SIZE / Math.max(rows, columns);
  const width = columns * cell;
  const height = rows * cell;
  const runs = promptRuns(sequence);
  const said =
    runs.length === 0
      ? 'no prompt'
      : runs.map(({ before, ...run }) => `${nameOf(run)} after ${before} patches`).join(', ');
  const title = `${id} in ${rows} × ${columns} patches: ${said}`;
  const right = MARGIN + width;
  return markup`<svg class="patch-grid" viewBox="0 0 ${(width + 2 * MARGIN).toFixed(1)} ${(height + 2 * MARGIN).toFixed(1)}" role="img" aria-label="${title}">
  <title>${title}</title>
  <rect class="matrix" x="${MARGIN}" y="${MARGIN}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"/>
  ${thumbnail === null ? [] : markup`<image href="${thumbnail}" x="${MARGIN}" y="${MARGIN}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" preserveAspectRatio="none"/>`}
  ${Array.from({ length: rows + 1 }, (_, row) => {
    const y = (MARGIN + row * cell).toFixed(1);
    return markup`<line class="patch-edge" x1="${MARGIN}" x2="${right.toFixed(1)}" y1="${y}" y2="${y}"/>`;
  })}
  ${Array.from({ length: columns + 1 }, (_, column) => {
    const x = (MARGIN + column * cell).toFixed(1);
    return markup`<line class="patch-edge" x1="${x}" x2="${x}" y1="${MARGIN}" y2="${(MARGIN + height).toFixed(1)}"/>`;
  })}
  ${runs.map((run) => marker(run, { rows, columns, cell }))}
</svg>`;
}

/** A bar on the edge where a run stands: at the left of the patch behind it, or at the right of the last patch. */
function marker(
  { before, ...run }: PromptRun,
  { rows, columns, cell }: { readonly rows: number; readonly columns: number; readonly cell: number },
): Markup {
  const isBehind = before >= rows * columns;
  const patch = isBehind ? rows * columns - 1 : before;
  const x = MARGIN + ((patch % columns) + (isBehind ? 1 : 0)) * cell;
  const y = MARGIN + Math.floor(patch / columns) * cell;
  const name = nameOf(run);
  const wide = 9 * name.length + 8;
  const left = Math.min(Math.max(0, x - wide / 2), 2 * MARGIN + columns * cell - wide);
  const top = isBehind ? y + cell + 2 : y - 20;
  return markup`<g><title>${name}, after ${before} patches</title>
  <line class="halo prompt-halo" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${y.toFixed(1)}" y2="${(y + cell).toFixed(1)}"/>
  <line class="prompt-edge" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${y.toFixed(1)}" y2="${(y + cell).toFixed(1)}"/>
  <rect class="prompt-badge" x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${wide}" height="18" rx="4"/>
  <text class="prompt-name" x="${(left + wide / 2).toFixed(1)}" y="${(top + 13).toFixed(1)}" text-anchor="middle">${name}</text></g>`;
}

/** Runs of prompt tokens without a patch between them. */
export function promptRuns(sequence: readonly InspectedPart[]): readonly PromptRun[] {
  const runs: PromptRun[] = [];
  let before = 0;
  for (const part of sequence) {
    if (typeof part === 'string') continue;
    if ('patches' in part) {
      before += part.patches[1];
      continue;
    }
    const last = runs.at(-1);
    if (last?.before === before && last.last === part.prompt - 1)
      runs[runs.length - 1] = { ...last, last: part.prompt };
    else runs.push({ before, first: part.prompt, last: part.prompt });
  }
  return runs;
}

function nameOf({ first, last }: Omit<PromptRun, 'before'>): string {
  return first === last ? `p${first}` : `p${first}–p${last}`;
}
