import { describe, expect, it } from '@jest/globals';
import { methodResult } from '../results/method-result.js';
import { parseResults } from '../results/schema.js';
import { exampleResults } from '../testing/example-results.js';
import { classTable, measuresTable } from './measures-table.js';
import { methodTable } from './method-table.js';
import { renderReport } from './report.js';

const results = exampleResults();
const run = (
  seed: number,
  confusion: readonly (readonly number[])[],
  measures: Readonly<Record<string, number>>,
) => ({
  seed,
  loss: [],
  validation: [{ step: 1, value: 0.5 }],
  seconds: 1,
  confusion,
  measures,
});
const summed = methodResult(
  [
    run(
      1,
      [
        [3, 1],
        [0, 0],
      ],
      { 'calibration error': 0.1 },
    ),
    run(
      2,
      [
        [2, 2],
        [0, 0],
      ],
      { 'calibration error': 0.3 },
    ),
  ],
  5,
);
const measured = {
  ...results,
  methods: { fixed: methodResult([{ ...run(1, [], {}), confusion: [] }], 1), dynamic: summed },
};

describe('methodResult', () => {
  it('takes the accuracy of every class over all seeds, and lists measures seed by seed', () => {
    expect(summed.perClass).toEqual([5 / 8, null]);
    expect(summed.measures).toEqual({ 'calibration error': [0.1, 0.3] });
    expect(parseResults(JSON.parse(JSON.stringify(measured)), 'here')).toEqual(measured);
  });

  it('refuses runs that have measured different things', () => {
    expect(() => methodResult([run(1, [], { one: 1 }), run(2, [], { two: 1 })], 1)).toThrow('every measure');
  });
});

describe('tables', () => {
  it('show measures as hundredths: mean ± sample deviation', () => {
    // (0.3 − 0.1) / √2 = 0.1414
    expect(measuresTable(measured)).toMatchObject({
      columns: [{ title: 'method' }, { title: 'calibration error × 100' }],
      rows: [
        ['fixed', '–'],
        ['dynamic', '20.00 ± 14.14'],
      ],
    });
    expect(measuresTable(results)).toBeUndefined();
  });

  it('show every class with a column for each method', () => {
    const [first = '', second = ''] = results.data.labels;
    expect(classTable({ ...results, methods: { dynamic: summed } })?.rows).toEqual([
      [first, '62.50'],
      [second, '–'],
    ]);
    expect(classTable(results)).toBeUndefined();
  });

  it('stand in the report where there is something to show', () => {
    const report = renderReport(measured);
    for (const part of ['Further measures', 'Accuracy by class', '20.00 ± 14.14', '62.50'])
      expect(report).toContain(part);
    expect(renderReport(results)).not.toMatch(/Further measures|Accuracy by class/);
  });
});

describe('many measures, and answers to compare with', () => {
  const names = Array.from({ length: 7 }, (_, index) => `question ${index}`);
  const all = Object.fromEntries(names.map((name, index) => [name, index / 10]));
  const methods = {
    fixed: methodResult(
      [{ seed: 1, seconds: 1, loss: [], validation: [{ step: 1, value: 0.5 }], measures: all }],
      5,
    ),
  };
  const baselines = {
    'most frequent': { score: 0.25, measures: { 'question 1': 0.5 } },
    ceiling: { score: 1, measures: {} },
  };

  it('make rows of the measures, and columns of what they are of', () => {
    const table = measuresTable({ ...results, methods, baselines });
    expect(table?.columns.map(({ title }) => title)).toEqual(['measure × 100', 'most frequent', 'fixed']);
    expect(table?.rows.slice(0, 2)).toEqual([
      ['question 0', '–', '0.00'],
      ['question 1', '50.00', '10.00'],
    ]);
    expect(table?.rows).toHaveLength(7);
  });

  it('stand in the table of the methods in place of the majority class', () => {
    expect(
      methodTable({ ...results, methods, baselines }).rows.map(([name, score]) => [name, score]),
    ).toEqual([
      ['most frequent', '25.00'],
      ['ceiling', '100.00'],
      ['fixed', '50.00'],
    ]);
  });
});
