import { nullThrows } from '@dynaprompt/core';
import type { Check } from './check.js';

const MEBIBYTE = 2 ** 20;

interface Use {
  /** Heap and buffers outside it, bytes. */
  readonly heap: number;
  readonly resident: number;
}

/** Many steps in a row. */
export const memory: Check = {
  title: 'keeps its memory over many steps',
  async run(subject) {
    const {
      steps = 24,
      heapBytes = 64 * MEBIBYTE,
      residentBytes = 256 * MEBIBYTE,
    } = subject.options.memory ?? {};
    const uses: Use[] = [];
    for (let step = 0; step < steps; step++) {
      await subject.step(subject.plan());
      await subject.predict(subject.plan());
      uses.push(useNow());
    }
    // The least of each third: what is waiting for the garbage collector comes and goes.
    const third = Math.max(1, Math.floor(steps / 3));
    const [early, late] = [leastOf(uses.slice(0, third)), leastOf(uses.slice(-third))];
    const contract = 'a step leaves nothing behind';
    const grown = { heap: late.heap - early.heap, resident: late.resident - early.resident };
    const inMebibytes = (bytes: number): string => `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
    for (const [what, bytes, most] of [
      ['the heap', grown.heap, heapBytes],
      ['resident memory', grown.resident, residentBytes],
    ] as const) {
      if (bytes <= most) continue;
      const problem = `${what} grows by ${inMebibytes(bytes)} in ${steps} steps (allowed: ${inMebibytes(most)})`;
      throw subject.broken('differentiate', problem, contract);
    }
  },
};

function useNow(): Use {
  // Present where node runs with --expose-gc.
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

function leastOf(uses: readonly Use[]): Use {
  const first = nullThrows(uses[0], 'there is a step');
  return uses.reduce(
    (least, { heap, resident }) => ({
      heap: Math.min(least.heap, heap),
      resident: Math.min(least.resident, resident),
    }),
    first,
  );
}
