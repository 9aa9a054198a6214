/** Seeded numbers in [0, 1): mulberry32. */
export function randomStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` seeded float32 numbers between two bounds. */
export function randomFloats(seed: number, count: number, low = -1, high = 1): Float32Array {
  const next = randomStream(seed);
  return Float32Array.from({ length: count }, () => low + (high - low) * next());
}
