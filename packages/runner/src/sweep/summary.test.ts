import { describe, expect, it } from '@jest/globals';

import type { JobResult } from './store.js';
import { summarizeSweep, summaryTable } from './summary.js';
import { resultOf, toyPlan } from './sweep.test.fixture.js';

describe('summarizeSweep', () => {
  it('compares methods with the reference, seed by seed, within a setting', async () => {
    const plan = await toyPlan({ methods: ['fixed', 'dynamic'], options: { steps: 20, batch: [8, 16] } });
    const scores = [
      [0.5, 0.6, 0.7], // fixed, 8
      [0.6, 0.8, 0.75], // dynamic, 8
      [0.9, 0.9, 0.9], // fixed, 16
      [0.8, 0.8, 0.8], // dynamic, 16
    ];
    const results = new Map<string, JobResult>();
    plan.rows.forEach(({ jobs }, row) => {
      jobs.forEach((job, seed) => results.set(job.key, resultOf(job, scores[row]?.[seed] ?? NaN)));
    });
    const { rows, jobs, failures } = summarizeSweep('toy-sweep', plan, results);
    expect(jobs).toEqual({ planned: 12, finished: 12, failed: 0 });
    expect(failures).toEqual([]);
    expect(rows.map(({ method, varied }) => [method, varied.batch])).toEqual([
      ['fixed', 8],
      ['dynamic', 8],
      ['fixed', 16],
      ['dynamic', 16],
    ]);
    expect(rows[0]).toMatchObject({ final: [0.5, 0.6, 0.7], seeds: [1, 2, 3], difference: null });
    expect(rows[0]?.mean).toBeCloseTo(0.6, 12);
    expect(rows[0]?.std).toBeCloseTo(0.1, 12);
    // (0.1 + 0.2 + 0.05) / 3; all three differences have one sign: 2 of the 2³ sign flips are as far from 0.
    expect(rows[1]?.difference?.mean).toBeCloseTo(0.35 / 3, 12);
    expect(rows[1]?.difference?.pValue).toBeCloseTo(2 / 8, 12);
    // Two tests on the task: Holm doubles the smallest.
    expect(rows[1]?.difference?.adjusted).toBeCloseTo(0.5, 12);
    expect(rows[3]?.difference?.mean).toBeCloseTo(-0.1, 12);
    const table = summaryTable(summarizeSweep('toy-sweep', plan, results));
    expect(table.rows[1]?.slice(0, 5)).toEqual(['sst2', 'dynamic', 'batch 8', '3', '71.67 ± 10.41']);
    // 0.6 ± 4.303 · 0.1 / √3, Student's t with two degrees of freedom.
    expect(table.rows[0]?.[5]).toBe('[35.16, 84.84]');
    expect(table.rows[3]?.slice(6)).toEqual(['−10.00', '0.500']);
  });

  it('cuts an interval to the scores that are possible', async () => {
    const plan = await toyPlan({ methods: ['fixed'] });
    const results = new Map(plan.jobs.map((job, seed) => [job.key, resultOf(job, 0.8 + seed / 10)]));
    const { rows } = summaryTable(summarizeSweep('toy-sweep', plan, results));
    // 0.9 ± 0.2484.
    expect(rows[0]?.slice(4, 6)).toEqual(['90.00 ± 10.00', '[65.16, 100.00]']);
  });

  it('shows what tasks measure besides, a column for each', async () => {
    const plan = await toyPlan();
    const results = new Map<string, JobResult>();
    for (const { method, jobs } of plan.rows) {
      jobs.forEach((job, seed) => {
        const { outcome, ...result } = resultOf(job, 0.5);
        const measured = method === 'fixed' && outcome.ok ? { measures: { novel: 0.2 + seed / 10 } } : {};
        results.set(job.key, { ...result, outcome: { ...outcome, ...measured } });
      });
    }
    const summary = summarizeSweep('toy-sweep', plan, results);
    const byMethod = new Map(summary.rows.map((row) => [row.method, row]));
    expect(byMethod.get('fixed')?.measures?.novel).toEqual([0.2, expect.closeTo(0.3), 0.4]);
    expect(byMethod.get('linear-probe')).not.toHaveProperty('measures');
    const { columns, rows } = summaryTable(summary);
    expect(columns.at(-1)?.title).toBe('novel');
    expect(rows.map((row) => [row[1], row.at(-1)])).toEqual([
      ['linear-probe', '–'],
      ['fixed', '30.00 ± 10.00'],
    ]);
  });

  it('lists what failed and leaves it out of the scores', async () => {
    const plan = await toyPlan();
    const results = new Map(
      plan.jobs.map((job, index) => [job.key, resultOf(job, index === 1 ? 'no memory' : 0.5)]),
    );
    results.delete(plan.jobs[5]?.key ?? '');
    const { rows, jobs, failures } = summarizeSweep('toy-sweep', plan, results);
    expect(jobs).toEqual({ planned: 6, finished: 4, failed: 1 });
    expect(rows.map(({ seeds }) => seeds)).toEqual([
      [1, 3],
      [1, 2],
    ]);
    expect(failures).toMatchObject([{ method: 'linear-probe', seed: 2, message: 'no memory' }]);
  });
});
