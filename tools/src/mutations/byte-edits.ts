import type { RandomStream } from '@dynaprompt/core';

/** A change of a model's bytes. */
export type Edit = (bytes: Uint8Array, random: RandomStream) => Uint8Array;

/** Changes that know nothing of the format. */
export const BYTE_EDITS = {
  'flipped bits': (bytes, random) => {
    const changed = bytes.slice();
    for (let count = 1 + random.integer(16); count > 0; count--) {
      const at = random.integer(bytes.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << random.integer(8));
    }
    return changed;
  },
  truncation: (bytes, random) => bytes.slice(0, random.integer(bytes.length)),
  'deleted range': (bytes, random) => {
    const [start, end] = range(bytes, random);
    return joined(bytes.subarray(0, start), bytes.subarray(end));
  },
  'duplicated range': (bytes, random) => {
    const [start, end] = range(bytes, random);
    return joined(bytes.subarray(0, end), bytes.subarray(start));
  },
} as const satisfies Readonly<Record<string, Edit>>;

/** Up to 2^12 bytes, short ones as likely as long ones. */
function range(bytes: Uint8Array, random: RandomStream): [number, number] {
  const start = random.integer(bytes.length);
  const length = 1 + random.integer(2 ** random.integer(13));
  return [start, Math.min(bytes.length, start + length)];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
