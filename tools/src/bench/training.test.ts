import { setTimeout } from 'node:timers/promises';
import { timed } from '@dynaprompt/core';
import { describe, expect, it } from '@jest/globals';
import { StageClock } from './stage-clock.js';
import { benchTraining } from './training.js';
import { benchTrainingMemory, slopeOf, type MemorySample } from './training-memory.js';

describe('the benchmark of training', () => {
  it('divides all the time of a step, of every method and batch', async () => {
    const report = (await benchTraining({
      steps: 4,
      batches: [2, 3],
      slots: 3,
      tokens: 10,
      examples: 12,
    })) as {
      readonly runs: readonly {
        readonly method: string;
        readonly batch: number;
        readonly padding: number;
        readonly milliseconds: Readonly<Record<string, number>>;
        readonly shares: Readonly<Record<string, number>>;
        readonly evaluation: { readonly examples: number };
      }[];
    };
    expect(report.runs.map(({ method, batch }) => [method, batch])).toEqual([
      ['fixed', 2],
      ['dynamic', 2],
      ['fixed', 3],
      ['dynamic', 3],
    ]);
    for (const { padding, milliseconds, shares, evaluation } of report.runs) {
      const { step = 0, ...parts } = milliseconds;
      expect(Object.keys(parts)).toEqual([
        'tokenising',
        'batching',
        'networks',
        'session',
        'optimiser',
        'rest',
      ]);
      for (const value of Object.values(parts)) expect(value).toBeGreaterThan(0);
      expect(Object.values(parts).reduce((sum, value) => sum + value, 0)).toBeCloseTo(step, 2);
      expect(shares.data).toBeCloseTo((shares.tokenising ?? 0) + (shares.batching ?? 0), 3);
      expect(padding).toBeGreaterThanOrEqual(0);
      expect(padding).toBeLessThan(1);
      expect(evaluation.examples).toBe(128);
    }
  });

  it('holds as many tensors after 30 steps as after one', async () => {
    const heard: MemorySample[] = [];
    const report = (await benchTrainingMemory(
      { steps: 30, every: 1, batch: 2, slots: 3, tokens: 10, examples: 12 },
      (sample) => heard.push(sample),
    )) as {
      readonly samples: readonly MemorySample[];
      readonly perThousandSteps: { readonly tensors: number };
    };
    expect(report.samples).toEqual(heard);
    expect(heard.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(new Set(heard.map(({ tensors }) => tensors)).size).toBe(1);
    expect(report.perThousandSteps.tensors).toBe(0);
    for (const { rss, heap, external } of heard) expect(Math.min(rss, heap, external)).toBeGreaterThan(0);
  });
});

describe('a stage clock', () => {
  it('says what each lap went into, and what no stage accounts for', async () => {
    const clock = new StageClock();
    await timed('session', () => setTimeout(30));
    await setTimeout(40);
    const lap = clock.lap();
    const { session, rest, total, ...others } = lap;
    // Timers may fire a little early.
    expect(session).toBeGreaterThan(25);
    expect(rest).toBeGreaterThan(35);
    expect(session + rest).toBeCloseTo(total, 6);
    expect(others).toEqual({ data: 0, networks: 0, optimiser: 0 });
    expect(clock.lap().session).toBe(0);
    clock.stop();
    timed('data', () => undefined);
    expect(clock.lap().data).toBe(0);
  });
});

describe('a slope', () => {
  it('is that of the line with the least squares', () => {
    const points = [0, 10, 20, 30].map((x) => [x, 5 - 3 * x] as const);
    expect(slopeOf(points)).toBeCloseTo(-3, 12);
    // By hand: means 1 and 2, Σ(x − 1)(y − 2) = 1, Σ(x − 1)² = 2.
    expect(
      slopeOf([
        [0, 2],
        [1, 1],
        [2, 3],
      ]),
    ).toBeCloseTo(0.5, 12);
    expect(slopeOf([[3, 4]])).toBe(0);
  });
});
