import { describe, expect, it } from '@jest/globals';
import { methodResult } from '../results/method-result.js';
import { parseResults } from '../results/schema.js';
import { exampleResults } from '../testing/example-results.js';
import { confusionChart } from './confusion-chart.js';
import { renderReport } from './report.js';
import { stylesheet } from './stylesheet.js';

const names = (count: number) => Array.from({ length: count }, (_, index) => `class ${index}`);

describe('confusionChart', () => {
  const chart = confusionChart(
    'Confusion',
    [
      [6, 2],
      [0, 4],
    ],
    ['cats & dogs', 'birds'],
  ).text;

  it('says in every cell what it counts', () => {
    const titles = [...chart.matchAll(/<g><title>(.*?)<\/title>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'cats &#38; dogs recognised: 6 of 8 (75.0%)',
      'cats &#38; dogs taken for birds: 2 of 8 (25.0%)',
      'birds taken for cats &#38; dogs: 0 of 4 (0.0%)',
      'birds recognised: 4 of 4 (100.0%)',
    ]);
  });

  it('puts true classes into rows and predicted ones into columns, coloured by share of the row', () => {
    const cells = [...chart.matchAll(/<rect class="cell" x="(\d+)" y="(\d+)" .*?fill-opacity="(.*?)"/g)].map(
      ([, x, y, share]) => [Number(x), Number(y), Number(share)] as const,
    );
    expect(cells.map(([, , share]) => share)).toEqual([0.75, 0.25, 0, 1]);
    const [first, right, below] = cells;
    expect([right?.[0], right?.[1]]).toEqual([(first?.[0] ?? 0) + 44, first?.[1]]);
    expect([below?.[0], below?.[1]]).toEqual([first?.[0], (first?.[1] ?? 0) + 44]);
    expect(chart).toContain('true class');
    expect(chart).toContain('predicted class');
  });

  it('names every class on both axes, long names cut with the whole in a title', () => {
    expect(chart.match(/<text class="class-name"/g)).toHaveLength(4);
    const long = 'a class whose name is longer than the axis has room for';
    const cut = confusionChart('Confusion', [[1]], [long]).text;
    expect(cut.match(new RegExp(`<title>${long}</title>a class whose name is l…`, 'g'))).toHaveLength(2);
  });

  it('has room for a hundred classes', () => {
    const matrix = names(100).map((_, row) =>
      names(100).map((__, column) => Number(column === (row + 1) % 100)),
    );
    const wide = confusionChart('Confusion', matrix, names(100)).text;
    expect(wide.match(/<text class="class-name"/g)).toHaveLength(200);
    // The diagonal, though nothing is right, and what occurred.
    expect(wide.match(/<rect class="cell"/g)).toHaveLength(200);
    expect(wide).toContain('<title>class 99 taken for class 0: 1 of 1 (100.0%)</title>');
    expect(wide).toContain('<title>class 7 recognised: 0 of 1 (0.0%)</title>');
    expect(wide.length).toBeLessThan(100_000);
    const [, width] = /viewBox="0 0 (\d+) \d+"/.exec(wide) ?? [];
    const places = [...wide.matchAll(/<rect class="cell" x="(\d+)"/g)].map(([, x]) => Number(x));
    expect(Math.max(...places) + 13).toBeLessThan(Number(width));
    // Names of 10 pixels in rows of 13, and no smaller when it is scaled down.
    expect(Number(/min-width:(\d+)px/.exec(wide)?.[1])).toBeGreaterThan(1200);
  });

  it('draws all cells of forty classes, and a class that never occurs', () => {
    const matrix = names(40).map(() => names(40).map(() => 0));
    const chartOfNone = confusionChart('Confusion', matrix, names(40)).text;
    expect(chartOfNone.match(/<rect class="cell"/g)).toHaveLength(1600);
    expect(chartOfNone).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('numbers in cells', () => {
  const [light = '', dark = ''] = stylesheet.match(/:root\{.*?\}/g) ?? [];

  it.each([
    ['light', light],
    ['dark', dark],
  ])('are legible on every colour, %s', (_, variables) => {
    const page = colour(variables, 'page');
    const inks = {
      '': colour(variables, 'number'),
      middle: colour(variables, 'number-middle'),
      strong: colour(variables, 'number-strong'),
    };
    const fill = colour(variables, 'series-2');
    for (let count = 1; count <= 100; count += 1) {
      const text = confusionChart(
        '',
        [
          [count, 100 - count],
          [0, 0],
        ],
        ['a', 'b'],
      ).text;
      const kind = /class="cell-count ?(\w*)"/.exec(text)?.[1] as keyof typeof inks;
      const written = inks[kind];
      const cell = page.map((value, index) => value + (count / 100) * ((fill[index] ?? 0) - value));
      // What WCAG 2 asks of small text.
      expect(contrast(written, cell)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe('the report', () => {
  const results = exampleResults();
  const run = (seed: number, confusion: readonly (readonly number[])[]) => ({
    seed,
    loss: [],
    validation: [{ step: 1, value: 0.5 }],
    seconds: 1,
    confusion,
  });
  const summed = methodResult(
    [
      run(1, [
        [1, 2],
        [3, 4],
      ]),
      run(2, [
        [10, 20],
        [30, 40],
      ]),
    ],
    5,
  );
  const withMatrix = {
    ...results,
    data: { ...results.data, attribution: 'Drawn by <somebody>' },
    methods: { ...results.methods, dynamic: summed, other: summed },
  };

  it('adds the matrices of the seeds up', () => {
    expect(summed.confusion).toEqual([
      [11, 22],
      [33, 44],
    ]);
    expect(parseResults(JSON.parse(JSON.stringify(withMatrix)), 'here')).toEqual(withMatrix);
  });

  it('has a matrix for each method that has one, and the attribution', () => {
    const report = renderReport(withMatrix);
    expect(report).toContain('<h2 id="confusions">Which classes are confused</h2>');
    expect(report).toContain('no taken for yes: 22 of 33 (66.7%)');
    expect(report.match(/<rect class="matrix"/g)).toHaveLength(2);
    expect(report.match(/<details open>/g)).toHaveLength(1);
    expect(report).toContain('<dt>Attribution</dt><dd>Drawn by &#60;somebody&#62;</dd>');
    expect(report).not.toMatch(/NaN|Infinity|undefined|<script|href="[^#]|url\(/);
  });

  it('has none where there is none', () => {
    expect(renderReport(results)).not.toMatch(/Which classes are confused|Attribution|class="matrix"/);
  });
});

/** Red, green and blue of a variable, 0 … 255. */
function colour(variables: string, name: string): readonly number[] {
  const [, digits = ''] = new RegExp(`--${name}:#([0-9a-f]+)`).exec(variables) ?? [];
  const long = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  return [0, 2, 4].map((at) => Number.parseInt(long.slice(at, at + 2), 16));
}

/** Contrast of two colours after WCAG 2. */
function contrast(first: readonly number[], second: readonly number[]): number {
  const [darker = 0, lighter = 0] = [luminance(first), luminance(second)].sort((one, other) => one - other);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(channels: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = channels.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
