import { availableParallelism, cpus } from 'node:os';

/** Milliseconds of one variant. */
export interface Timing {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Times variants in turn, A B A B …, so that a drifting machine moves them together; the first `warmup` rounds do not count.
 * A variant that resolves to a number has timed itself, in milliseconds.
 */
export async function measureInTurn<Name extends string>(
  variants: Readonly<Record<Name, () => Promise<unknown>>>,
  rounds: number,
  warmup = 2,
): Promise<Record<Name, Timing>> {
  const entries = Object.entries(variants) as [Name, () => Promise<unknown>][];
  const samples = new Map(entries.map(([name]) => [name, [] as number[]]));
  for (let round = 0; round < warmup + rounds; round++) {
    for (const [name, run] of entries) {
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

function summarise(values: number[]): Timing {
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
  return { median: round(median), minimum: round(at(0)), maximum: round(at(sorted.length - 1)) };
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

/** What a figure was measured on. */
export function machine(): Readonly<Record<string, unknown>> {
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  return { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, peakMegabytes };
}
