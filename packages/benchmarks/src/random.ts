import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Draws whole numbers from one seeded stream. */
export interface IntegerStream {
  /** The next whole number, uniform over 0 … `limit` − 1. */
  below(limit: number): number;
  /** 32 random bits. */
  bits(): number;
}

/** A stream of whole numbers; the same seed gives the same stream. */
export function integerStream(seed: number): IntegerStream {
  const generator = xoroshiro128plus(seed);
  return {
    below: (limit) => uniformInt(generator, 0, limit - 1),
    bits: () => generator.next(),
  };
}

/** A shuffled copy (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], stream: IntegerStream): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const chosen = stream.below(last + 1);
    const swap = result[last] as T;
    result[last] = result[chosen] as T;
    result[chosen] = swap;
  }
  return result;
}
