import { describe, expect, it } from '@jest/globals';
import { DataError } from '@dynaprompt/core';
import { parseInspections, parseResults, renderReport } from '@dynaprompt/benchmarks';

import { findChromium } from './browser.js';
import { contrastRatio, layered, parseColour } from './contrast.js';
import { exampleRun } from './example.js';

describe('contrastRatio', () => {
  // WCAG 2.2: 21 for black on white; #767676 is the lightest grey that passes 4.5 on white.
  it.each([
    [[0, 0, 0], 21],
    [[255, 255, 255], 1],
    [[118, 118, 118], 4.54],
    [[119, 119, 119], 4.48],
  ] as const)('of %j on white is %d', ([red, green, blue], expected) => {
    const ratio = contrastRatio([red, green, blue, 1], [255, 255, 255, 1]);
    expect(ratio).toBeCloseTo(expected, 2);
    expect(contrastRatio([255, 255, 255, 1], [red, green, blue, 1])).toBe(ratio);
  });
});

describe('layered', () => {
  it('puts what lies above over what lies below', () => {
    expect(layered([])).toEqual([255, 255, 255, 1]);
    expect(
      layered([
        [0, 0, 0, 1],
        [200, 100, 0, 0.5],
      ]),
    ).toEqual([100, 50, 0, 1]);
  });
});

describe('parseColour', () => {
  it('reads what browsers compute', () => {
    expect(parseColour('rgb(1, 2, 3)')).toEqual([1, 2, 3, 1]);
    expect(parseColour('rgba(1, 2, 3, 0.25)')).toEqual([1, 2, 3, 0.25]);
    expect(parseColour('color(srgb 1 0.2 0 / 0.5)')).toEqual([255, 51, 0, 0.5]);
    expect(parseColour('none')).toBeUndefined();
  });
});

describe('findChromium', () => {
  it('says what to do where there is none', () => {
    expect(() => findChromium({ PATH: '/nowhere' })).toThrow('apt-get install -y chromium');
    expect(() => findChromium({ CHROMIUM: '/nowhere/chromium' })).toThrow('there is no such file');
    expect(findChromium({ CHROMIUM: process.execPath })).toBe(process.execPath);
  });
});

describe('the example', () => {
  const { results, inspections } = exampleRun();

  it('fits the shape of results and has every section', () => {
    expect(parseResults(results, 'example')).toEqual(results);
    expect(parseInspections(inspections, 'example')).toEqual(inspections);
    expect(() => parseInspections([{}], 'example')).toThrow(DataError);
    const report = renderReport(results, inspections);
    for (const id of [
      'comparison',
      'curves',
      'choices',
      'inspector',
      'measures',
      'classes',
      'confusions',
      'details',
    ])
      expect(report).toContain(`<h2 id="${id}">`);
    expect(report).toContain('<h3>Over training</h3>');
    expect(exampleRun().results).toEqual(results);
  });
});
