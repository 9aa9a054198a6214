import type { ExampleLayout } from '@dynaprompt/core';

/** At which end of a row stand padding and, in training, prompt tokens that are off. */
export interface Sides {
  readonly padding: 'left' | 'right';
  /**
   * `front` where later tokens cannot be seen (decoders): a token that is off but stands in front is attended by all others as
   * far as its gate says, so that its gate has a gradient.
   */
  readonly inactive: 'front' | 'back';
}

/** Padding behind the tokens, and what is off behind that: the order of `sourceTables` of core. */
export const PLAIN: Sides = { padding: 'right', inactive: 'back' };

/** Place in the model's row of every slot of a source table, [B, T]; undefined where they are the same. */
export function placesOf(
  layouts: readonly ExampleLayout[],
  slots: number,
  total: number,
  { padding, inactive }: Sides,
): Int32Array | undefined {
  if (padding === PLAIN.padding && inactive === PLAIN.inactive) return undefined;
  const places = new Int32Array(layouts.length * total);
  layouts.forEach(({ before, content, after, active }, row) => {
    const own = before + content + after + active;
    const off = slots - active;
    const pads = total - own - off;
    const lead = padding === 'left' ? pads : 0;
    const offStart = inactive === 'front' ? lead : total - off;
    const ownStart = inactive === 'front' ? lead + off : lead;
    const padStart = padding === 'left' ? 0 : ownStart + own;
    for (let slot = 0; slot < total; slot++) {
      const isOwn = slot < own;
      const isPad = !isOwn && slot < own + pads;
      const start = isOwn ? ownStart : isPad ? padStart - own : offStart - own - pads;
      places[row * total + slot] = start + slot;
    }
  });
  return places;
}

/** Scores [B, T, T] of the model's rows and columns in the order of source tables. */
export function inTableOrder(
  scores: Float32Array,
  total: number,
  places: Int32Array | undefined,
): Float32Array {
  if (!places) return scores;
  const square = total * total;
  return scores.map((_, index) => {
    const start = Math.floor(index / square) * total;
    const [row, column] = [Math.floor((index % square) / total), index % total];
    return scores[(start + (places[start + row] ?? 0)) * total + (places[start + column] ?? 0)] ?? 0;
  });
}
