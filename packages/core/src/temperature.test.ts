import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from './errors.js';
import { temperatureAt } from './temperature.js';

const range = { start: 1, end: 0.5 } as const;

describe('temperatureAt', () => {
  it.each([
    ['linear', 0, 1],
    ['linear', 50, 0.75],
    ['linear', 100, 0.5],
    ['linear', 500, 0.5],
    ['exponential', 0, 1],
    ['exponential', 50, Math.SQRT1_2],
    ['exponential', 100, 0.5],
    ['constant', 100, 1],
  ] as const)('is right for %s at step %i', (schedule, step, expected) => {
    expect(temperatureAt({ ...range, schedule }, step, 101)).toBeCloseTo(expected, 12);
  });

  it('reaches its floor at step 680 of any run with the published schedule', () => {
    const at = (step: number): number => temperatureAt({ ...range, schedule: 'published' }, step, 20_000);
    expect(at(679)).toBeGreaterThan(0.5);
    expect(at(680)).toBe(0.5);
    expect(at(19_999)).toBe(0.5);
  });

  it('is the start in a run of one step', () => {
    expect(temperatureAt({ ...range, schedule: 'linear' }, 0, 1)).toBe(1);
  });

  it('refuses steps that do not exist', () => {
    const options = { ...range, schedule: 'linear' } as const;
    expect(() => temperatureAt(options, -1, 10)).toThrow(ConfigurationError);
    expect(() => temperatureAt(options, 0, 0)).toThrow(/number of steps/);
  });
});
