import { describe, expect, it } from '@jest/globals';

import { clockTime, RunClock } from './run-clock.js';

describe('RunClock', () => {
  it('goes by the pace since the run went on, and counts down between steps', () => {
    let now = 100;
    const clock = new RunClock(10, 4, () => now);
    expect(clock.remaining).toBeUndefined();
    now = 106;
    clock.reach(6);
    // Two steps in six seconds, four steps left.
    expect([clock.elapsed, clock.remaining]).toEqual([6, 12]);
    now = 107;
    expect([clock.elapsed, clock.remaining]).toEqual([7, 11]);
    now = 200;
    expect(clock.remaining).toBe(0);
  });
});

describe('clockTime', () => {
  it.each([
    [0, '0:00'],
    [7.4, '0:07'],
    [59.6, '1:00'],
    [754, '12:34'],
    [3599.7, '1:00:00'],
    [90_061, '25:01:01'],
  ])('writes %d', (seconds, text) => {
    expect(clockTime(seconds)).toBe(text);
  });
});
