import { randomStream } from './random.js';

/** Overwrites, inserts, removes or repeats up to eight bytes. */
export function mutate(original: Uint8Array, seed: number): Uint8Array {
  const next = randomStream(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  let bytes = [...original];
  for (let edit = below(8); edit >= 0; edit--) {
    const at = below(bytes.length);
    const kind = below(5);
    if (kind === 0) bytes[at] = below(256);
    else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    else if (kind === 2) bytes.splice(at, 0, ...Array.from({ length: below(12) }, () => below(256)));
    else if (kind === 3) bytes.splice(at, 1 + below(12));
    else bytes = [...bytes.slice(0, at), ...bytes.slice(at - Math.min(at, below(40)))];
  }
  return Uint8Array.from(bytes);
}
