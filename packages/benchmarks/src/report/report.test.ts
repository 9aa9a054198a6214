import { describe, expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import type { UsagePoint } from '../results/schema.js';
import { inspectedPicture, inspectedText } from '../testing/example-inspections.js';
import { exampleResults, multitaskResults, resultsWithUsage } from '../testing/example-results.js';
import { choiceHistories } from './choice-history.js';
import { comparisonTable } from './comparison-table.js';
import { meanCurve, thinned } from './curves.js';
import { escapeMarkup, markup } from './markup.js';
import { formatTable, methodTable, taskTable } from './method-table.js';
import { renderReport } from './report.js';
import { linearScale } from './scale.js';
import { usageGroups } from './usage.js';

describe('renderReport', () => {
  const report = renderReport(exampleResults());

  it('shows what was run and how it came out', () => {
    for (const text of [
      'toy on mini-bert',
      'Made-up numbers.',
      'CC0-1.0',
      '85.00 ± 1.41',
      '55.00',
      'abc123',
    ]) {
      expect(report).toContain(text);
    }
  });

  it('draws a thick line for each method and a thin one for each seed, in both charts', () => {
    expect(report.match(/<polyline class="mean /g)).toHaveLength(2 * 3);
    expect(report.match(/<polyline class="seed /g)).toHaveLength(2 * 5);
    // Five seeds, and the differences of two methods from the first.
    expect(report.match(/<circle class="dot /g)).toHaveLength(5 + 2);
    expect(report).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('writes loss curves up to the last step of the run', () => {
    const lastTicks = [...report.matchAll(/text-anchor="middle">(\d+)<\/text>\s*<line class="axis"/g)];
    expect(lastTicks.map(([, step]) => step)).toEqual(['20', '20']);
  });

  it('holds no script and loads nothing', () => {
    const full = renderReport(resultsWithUsage(), [inspectedText(), inspectedPicture()]);
    for (const page of [report, full]) {
      expect(page).not.toMatch(/<script|<link|<img|@import|url\(|src=|\son\w+=/i);
      const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, address = '']) => address);
      expect(links.filter((address) => !/^(#|data:image\/)/.test(address))).toEqual([]);
      // Script-src falls back to default-src.
      expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
    }
  });

  it('escapes everything that comes from outside', () => {
    const hostile = '<img src=x onerror="alert(1)">&\'';
    const results = exampleResults();
    const rendered = renderReport({
      ...results,
      task: hostile,
      backbone: hostile,
      data: { ...results.data, description: hostile, labels: [hostile] },
      methods: Object.fromEntries(Object.values(results.methods).map((method) => [hostile, method])),
      config: { [hostile]: hostile },
    });
    expect(rendered).not.toContain('<img');
    expect(rendered).not.toContain('onerror="');
    expect(rendered).toContain('&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#38;&#39;');
  });
});

describe('the choices of prompts', () => {
  it('are shares of the examples, averaged over the seeds', () => {
    expect(usageGroups(resultsWithUsage())).toEqual([
      {
        name: 'dynamic',
        panels: [
          {
            title: 'position',
            labels: ['0', '1', '2'],
            // (30/40 + 0) / 2 and (10/40 + 1) / 2
            bars: [{ name: 'chosen', shares: [0.375, 0, 0.625] }],
          },
          {
            title: 'pool entry',
            labels: ['0', '1'],
            bars: [
              { name: 'largest weight', shares: [0.75, 0.25] },
              { name: 'mean weight', shares: [0.75, 0.25] },
            ],
          },
        ],
      },
    ]);
    expect(usageGroups(exampleResults())).toEqual([]);
  });

  it('stand in the report where there are any', () => {
    const report = renderReport(resultsWithUsage());
    expect(report).toContain('What the prompts chose');
    expect(report.match(/<rect class="bar /g)).toHaveLength(3 + 2 * 2);
    expect(report).toContain('position 2, chosen: 62.5%');
    // 62.5% of the 98 between the top line and the floor
    expect(report).toContain('height="61.3"');
    expect(report).not.toMatch(/NaN|Infinity|undefined/);
    expect(renderReport(exampleResults())).not.toContain('What the prompts chose');
  });
});

describe('the choices over training', () => {
  const counts = (step: number, positions: readonly number[], seed = 1) => {
    return { seed, step, positions, lengths: null, pool: null };
  };
  const withHistory = (points: readonly UsagePoint[]) => {
    const results = resultsWithUsage();
    const { dynamic } = results.methods;
    const method = { ...nullThrows(dynamic, 'the method'), usageOverTraining: points };
    return { ...results, methods: { dynamic: method } };
  };

  it('are shares after every evaluation, with the mean choice', () => {
    const points = [
      counts(10, [40, 0, 0]),
      counts(20, [10, 0, 30]),
      counts(10, [20, 0, 20], 2),
      counts(20, [0, 0, 40], 2),
    ];
    const [history, ...others] = choiceHistories(withHistory(points));
    expect(others).toEqual([]);
    expect(history).toEqual({
      name: 'dynamic',
      factor: 'position',
      steps: [10, 20],
      shares: [
        [0.75, 0, 0.25],
        [0.125, 0, 0.875],
      ],
      means: [0.5, 1.75],
    });
    const report = renderReport(withHistory(points));
    expect(report).toContain('<title>step 20, position 2: 87.5%</title>');
    expect(report).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('are thinned to forty evaluations with the last among them, and left out where there is one only', () => {
    const many = Array.from({ length: 95 }, (_, index) => counts(index + 1, [1, 1, 1]));
    const [history] = choiceHistories(withHistory(many));
    expect(history?.steps).toHaveLength(40);
    expect(history?.steps.at(-1)).toBe(95);
    expect(choiceHistories(withHistory([counts(10, [1, 0, 0])]))).toEqual([]);
    expect(choiceHistories(exampleResults())).toEqual([]);
  });
});

describe('the comparison with the reference', () => {
  it('has differences, intervals and corrected p-values', () => {
    const { title, table } = nullThrows(comparisonTable(exampleResults()), 'there are several methods');
    // Differences of the seeds .14 .14; and one seed of the other, .5 − .7.
    expect(table.rows).toEqual([
      ['dynamic', '+14.00', '[+14.0, +14.0]', '0.500', '–', '–'],
      ['single', '−20.00', '–', '–', '–', '–'],
    ]);
    expect(title).toContain('Differences from frozen, tested over seeds, a permutation test');
    expect(title).toContain('With 2 seeds p over seeds cannot be below 0.500.');
    expect(comparisonTable(multitaskResults())).toBeUndefined();
  });

  it('names the test of examples, and marks what is told apart', () => {
    const results = exampleResults();
    const comparisons = {
      reference: 'frozen',
      correction: 'Holm' as const,
      methods: [
        {
          method: 'dynamic',
          difference: 0.14,
          interval: null,
          seeds: [1],
          overSeeds: null,
          overExamples: { test: 'McNemar mid-p' as const, examples: 300, pValue: 0.0001, adjusted: 0.0002 },
          bootstrap: { level: 0.95, low: 0.1, high: 0.18, resamples: 2000 },
        },
      ],
    };
    const told = nullThrows(comparisonTable({ ...results, comparisons }), 'there is a comparison');
    expect(told.table.rows).toEqual([['dynamic', '+14.00', '–', '–', '[+10.0, +18.0]', '< 0.001 *']]);
    expect(told.title).toMatch(/over examples, McNemar’s mid-p test of paired right answers/);
    const report = renderReport({ ...results, comparisons });
    expect(report).toContain('<title>dynamic, over examples: +10.0 to +18.0</title>');
  });
});

describe('a run on several tasks', () => {
  it('has a table of its tasks', () => {
    const table = taskTable(multitaskResults());
    expect(table && formatTable(table)).toBe(
      [
        'task  metric                      training examples  majority class       dynamic',
        '────  ──────────────────────────  ─────────────────  ──────────────  ────────────',
        'mail  accuracy (%)                              100           55.00  81.50 ± 0.71',
        'film  Matthews correlation × 100                100            0.00  58.50 ± 0.71',
      ].join('\n'),
    );
    expect(taskTable(exampleResults())).toBeUndefined();
  });

  it('is reported with the mean of its scores', () => {
    const report = renderReport(multitaskResults());
    expect(report).toContain('<h2 id="tasks">Tasks</h2>');
    expect(report).toContain('mean score × 100');
    expect(report).not.toMatch(/NaN|Infinity|undefined/);
    expect(renderReport(exampleResults())).not.toContain('id="tasks"');
  });
});

describe('markup', () => {
  it('escapes values and leaves markup alone', () => {
    expect(markup`<b>${'a<b'}</b>${[markup`<i>${1}</i>`]}`.text).toBe('<b>a&#60;b</b><i>1</i>');
    expect(escapeMarkup(`<>&"'`)).toBe('&#60;&#62;&#38;&#34;&#39;');
  });
});

describe('the comparison table', () => {
  it('is aligned text with the majority class first', () => {
    expect(formatTable(methodTable(exampleResults()))).toBe(
      [
        'method               accuracy (%)  95% interval   best  seeds  trained  time/seed',
        '───────────────────  ────────────  ────────────  ─────  ─────  ───────  ─────────',
        'majority class (no)         55.00             –      –      –        0          –',
        'frozen               71.00 ± 1.41  [58.3, 83.7]  71.00      2      514     12.5 s',
        'dynamic              85.00 ± 1.41  [72.3, 97.7]  86.00      2   20,514     12.5 s',
        'single                      50.00             –  50.00      1        7     12.5 s',
      ].join('\n'),
    );
  });

  it('cuts an interval to the scores that are possible', () => {
    const results = exampleResults();
    const wide = { level: 0.95, low: -0.4, high: 2.1 };
    const methods = Object.fromEntries(
      Object.entries(results.methods).map(([name, method]) => [name, { ...method, confidence: wide }]),
    );
    expect(formatTable(methodTable({ ...results, methods }))).toContain('[0.0, 100.0]');
  });
});

describe('curves', () => {
  const line = (values: readonly number[]) => values.map((value, step) => ({ step, value }));

  it('average neighbours when there are too many points to draw', () => {
    const { points, window } = thinned(line(Array.from({ length: 200 }, (_, index) => index)));
    expect(window).toBe(3);
    expect(points).toHaveLength(67);
    expect(points[0]).toEqual({ step: 1, value: 1 });
    expect(points[66]).toEqual({ step: 199, value: 198.5 });
  });

  it('are averaged over seeds at the steps that all have', () => {
    expect(meanCurve([line([1, 2, 3]), line([3, 6])])).toEqual([
      { step: 0, value: 2 },
      { step: 1, value: 4 },
    ]);
    expect(meanCurve([])).toEqual([]);
  });
});

describe('linearScale', () => {
  it('maps linearly and ticks at round values', () => {
    const scale = linearScale([0, 10], [100, 200], 5);
    expect(scale.position(2.5)).toBe(125);
    expect(scale.ticks).toEqual([0, 2, 4, 6, 8, 10]);
    expect(linearScale([0.31, 0.52], [0, 1], 4).ticks).toEqual([0.4, 0.5]);
  });

  it('has room for a constant', () => {
    expect(linearScale([3, 3], [0, 100], 4).position(3)).toBe(50);
  });
});
