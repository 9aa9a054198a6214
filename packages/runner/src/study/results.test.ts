import { describe, expect, it } from '@jest/globals';

import { nullThrows } from '@dynaprompt/core';

import { emptyNotes } from './notes.js';
import { renderStudy } from './markdown.js';
import { type StudyResults, type StudyRow, tablesOf } from './results.js';
import { type Cell, choose, type Finished, type Outcome, planStudy } from './run-plan.js';
import { exampleOptions, exampleTask, finished } from './study.test.fixture.js';

const task = {
  name: 'sst2',
  description: 'Sentiment',
  metric: 'accuracy',
  labels: ['a', 'b'],
  train: 64,
  validation: 20,
  majority: 0.55,
  fingerprint: 'f00d',
} as const;

/** All tuning runs equal, so the first setting is chosen; `finals`: score by method and seed, null for a failure. */
function outcomesOf(
  cells: readonly Cell[],
  finals: Readonly<Record<string, readonly (Partial<Finished> | null)[]>>,
): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const cell of cells) {
    for (const { key } of cell.tuning.flat()) outcomes.set(key, finished({ final: 0.5 }));
    cell.finals[0]?.forEach(({ key }, seed) => {
      const outcome = finals[cell.method]?.[seed];
      if (outcome === undefined) return;
      outcomes.set(key, outcome === null ? { ok: false, message: 'no\nmemory' } : finished(outcome));
    });
  }
  return outcomes;
}

const options = { ...exampleOptions, methods: ['linear-probe', 'fixed', 'dynamic', 'deep'] };
const cells = planStudy(options, [exampleTask]);
const scored = (...finals: readonly number[]): { final: number }[] => finals.map((final) => ({ final }));
const outcomes = outcomesOf(cells, {
  'linear-probe': scored(0.6, 0.7, 0.8),
  fixed: scored(0.5, 0.6, 0.7),
  dynamic: [
    { final: 0.75, lengths: [0, 4, 0, 0, 16], positions: [5, 0, 15, 0, 0] },
    { final: 0.5, lengths: [20, 0, 0, 0, 0], positions: [0, 0, 20, 0, 0] },
    null,
  ],
  deep: [null, null, { final: 0.9 }],
});
const tables = tablesOf([task], cells, outcomes);

function row(method: string): StudyRow {
  return nullThrows(
    tables[0]?.methods.find((candidate) => candidate.method === method),
    method,
  );
}

describe('tablesOf', () => {
  it('sums up seeds: mean, sample deviation and Student interval', () => {
    // 0.6, 0.7, 0.8: deviation 0.1; t(0.975, 2) = 4.302652729911275, times 0.1/√3 = 0.24841377118194.
    const { mean, std, confidence } = row('linear-probe');
    expect(mean).toBeCloseTo(0.7, 12);
    expect(std).toBeCloseTo(0.1, 12);
    expect(confidence?.low).toBeCloseTo(0.7 - 0.24841377118, 9);
    expect(confidence?.high).toBeCloseTo(0.7 + 0.24841377118, 9);
  });

  it('compares with fixed over the seeds that both have, corrected over the methods', () => {
    // Three differences of one sign: 2 of 8 sign patterns reach their sum. For 0.25 and −0.1: all but ±0.15 do, 2 of 4.
    expect(row('fixed').difference).toBeNull();
    expect(row('linear-probe').difference).toMatchObject({ pValue: 0.25, adjusted: 0.5, seeds: 3 });
    expect(row('linear-probe').difference?.mean).toBeCloseTo(0.1, 12);
    expect(row('dynamic').difference).toMatchObject({ seeds: 2, pValue: 1, adjusted: 1 });
    expect(row('dynamic').difference?.mean).toBeCloseTo(0.075, 12);
    expect(row('deep').difference).toBeNull();
  });

  it('adds up what was chosen', () => {
    // 4 of length 1, 16 of length 4 and 20 of length 0.
    expect(row('dynamic')).toMatchObject({ meanLength: 68 / 40, positions: [5, 0, 35, 0, 0] });
    expect(row('fixed')).toMatchObject({ meanLength: null, positions: null });
  });

  it('shows failures, of tuning too', () => {
    expect(row('deep').failures.map(({ phase, seed }) => `${phase} ${seed}`)).toEqual(['final 1', 'final 2']);
    const fixed = nullThrows(cells[1], 'fixed');
    const broken = new Map(outcomes);
    for (const { key } of fixed.tuning.flat()) broken.set(key, { ok: false, message: 'diverged' });
    expect(choose(fixed, broken)).toMatchObject({ state: 'failed' });
    const [table] = tablesOf([task], cells, broken);
    expect(table?.methods[1]).toMatchObject({ rates: null, mean: null, final: [] });
    expect(table?.methods[1]?.failures).toHaveLength(4);
    expect(table?.methods[0]?.difference).toBeNull();
  });
});

describe('renderStudy', () => {
  const results: StudyResults = {
    app: 'glue-study',
    command: 'npm run glue -- study --tasks sst2',
    configuration: options,
    backbone: { name: 'mini-bert' },
    versions: { tfjs: '4' },
    machines: ['m'],
    tasks: tables,
  };

  it('keeps the notes and shows every row, with its failures', () => {
    const notes = '<!-- notes -->\n\nBy _hand_.\n\n<!-- /notes -->';
    const page = renderStudy(results, notes, 'the text');
    expect(page).toContain(`# Results\n\n${notes}\n\n`);
    const cellsOf = (method: string): string[] => {
      const line = page.split('\n').find((text) => text.startsWith(`| \`${method}\``)) ?? '';
      return line.split('|').map((cell) => cell.trim());
    };
    const [, , , rates, score, interval, , difference, p] = cellsOf('linear-probe');
    expect([rates, score, interval]).toEqual(['head 0.01', '70.00 ± 10.00', '45.16 … 94.84']);
    expect([difference, p]).toEqual(['+10.00', '0.500']);
    expect(cellsOf('dynamic')).toContain('62.50 ± 17.68 (2 of 3 seeds)');
    expect(cellsOf('dynamic').slice(-3)).toEqual(['1.7', '2: 88 %, 0: 13 %', '']);
    expect(page).toContain('deep, final, seed 2, prompt 0.005: no memory\n');
    expect(page).toContain('no uncorrected p is below 0.250');
    expect(page).toContain('tokens that stand before the text.\n');
  });

  it('says nothing of when it was made', () => {
    expect(renderStudy(results, emptyNotes, 'the text')).toBe(renderStudy(results, emptyNotes, 'the text'));
    expect(renderStudy(results, emptyNotes, 'the text')).not.toMatch(/20\d\d-|\d\d:\d\d/);
  });
});
