import { at } from './numbers.js';

/**
 * What slot t gives to a prompt: the table [n, d] of the patches' positions, resized to n + k places.
 * @param slot t, class token not counted.
 * @param active k
 */
export function slotRow(table: Float32Array, width: number, slot: number, active: number): Float32Array {
  const patches = table.length / width;
  const centre = ((slot + 0.5) * patches) / (patches + active) - 0.5;
  const place = Math.min(Math.max(centre, 0), patches - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, patches - 1);
  const share = place - low;
  return Float32Array.from(
    { length: width },
    (_, column) => (1 - share) * at(table, low * width + column) + share * at(table, high * width + column),
  );
}
