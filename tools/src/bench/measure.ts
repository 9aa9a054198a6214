import { availableParallelism, cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** Milliseconds of one variant. */
export interface Timing {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Times variants in turn, A B C C B A …, so that a drifting machine moves them together and none always follows the same other;
 * the first `warmup` rounds do not count. A variant that resolves to a number has timed itself, in milliseconds.
 */
export async function measureInTurn<Name extends string>(
  variants: Readonly<Record<Name, () => Promise<unknown>>>,
  rounds: number,
  warmup = 2,
): Promise<Record<Name, Timing>> {
  const entries = Object.entries(variants) as [Name, () => Promise<unknown>][];
  const samples = new Map(entries.map(([name]) => [name, [] as number[]]));
  for (let round = 0; round < warmup + rounds; round++) {
    for (const [name, run] of round % 2 === 0 ? entries : entries.toReversed()) {
      // Threads that still spin after the run before would take a core from this one.
      await setTimeout(100);
      const start = performance.now();
      const own = await run();
      const elapsed = typeof own === 'number' ? own : performance.now() - start;
      if (round >= warmup) samples.get(name)?.push(elapsed);
    }
  }
  return Object.fromEntries([...samples].map(([name, values]) => [name, summarise(values)])) as Record<
    Name,
    Timing
  >;
}

/** Median and extremes, milliseconds. */
export function summarise(values: readonly number[]): Timing {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
  return { median: round(median), minimum: round(at(0)), maximum: round(at(sorted.length - 1)) };
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

/** Cosine of the angle between two vectors. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [product, squaresOfA, squaresOfB] = [0, 0, 0];
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    product += value * other;
    squaresOfA += value ** 2;
    squaresOfB += other ** 2;
  }
  return product / Math.sqrt(squaresOfA * squaresOfB);
}

/** What a figure was measured on. */
export function machine(): Readonly<Record<string, unknown>> {
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  return { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, peakMegabytes };
}
