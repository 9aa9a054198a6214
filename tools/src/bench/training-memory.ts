import { memory } from '@tensorflow/tfjs-core';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { selectBackend } from '@dynaprompt/core';
import { methodNamed, trainPrompt } from '@dynaprompt/training';
import { openDemonstration } from './demonstration.js';
import { machine, round } from './measure.js';

export interface TrainingMemoryOptions {
  readonly steps: number;
  /** Steps between two readings. */
  readonly every: number;
  readonly batch: number;
  readonly slots: number;
  readonly tokens: number;
  readonly examples: number;
}

/** Memory of this process at a step, megabytes (10⁶ bytes), garbage collected. */
export interface MemorySample {
  readonly step: number;
  readonly rss: number;
  readonly heap: number;
  /** Array buffers and what else lives outside the heap. */
  readonly external: number;
  /** Tensors that tfjs holds. */
  readonly tensors: number;
}

/** Memory of a long run of a dynamic prompt on the bundled backbone and task, and how fast it grows in the second half. */
export async function benchTrainingMemory(
  options: TrainingMemoryOptions,
  hear: (sample: MemorySample) => void = () => undefined,
): Promise<unknown> {
  const { steps, every, batch, slots, tokens, examples } = options;
  await selectBackend();
  const collect = garbageCollector();
  const samples: MemorySample[] = [];
  const read = (step: number): void => {
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    const sample = {
      step,
      rss: round(rss / 1e6, 1),
      heap: round(heapUsed / 1e6, 2),
      external: round(external / 1e6, 2),
      tensors: memory().numTensors,
    };
    samples.push(sample);
    hear(sample);
  };
  const began = performance.now();
  const demonstration = await openDemonstration({
    slots,
    maximumTokens: tokens,
    train: examples,
    validation: 64,
  });
  try {
    await trainPrompt({
      ...demonstration.task,
      method: methodNamed('dynamic', { slots }),
      seed: 1,
      steps,
      batch,
      evaluateEvery: every,
      events: (event) => {
        if (event.type === 'step' && event.step % every === 0) read(event.step);
      },
    });
  } finally {
    await demonstration.release();
  }
  const late = samples.slice(Math.floor(samples.length / 2));
  const slope = (of: Exclude<keyof MemorySample, 'step'>): number =>
    round(1000 * slopeOf(late.map((sample) => [sample.step, sample[of]])), 3);
  return {
    benchmark: 'training memory',
    steps,
    batch,
    slots,
    tokens,
    seconds: round((performance.now() - began) / 1000, 1),
    samples,
    perThousandSteps: {
      rss: slope('rss'),
      heap: slope('heap'),
      external: slope('external'),
      tensors: slope('tensors'),
    },
    machine: machine(),
  };
}

/** Slope of the line with the least squares through points (x, y); 0 for fewer than two. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (axis: 0 | 1): number => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const squares = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const products = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return squares === 0 ? 0 : products / squares;
}

/** V8's, which a program has only when started with a flag or, like here, in a context made after setting it. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
