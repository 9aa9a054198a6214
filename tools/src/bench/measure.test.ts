import { describe, expect, it } from '@jest/globals';
import { measureInTurn, summarise } from './measure.js';

describe('variants measured in turn', () => {
  it('run forwards and backwards, and count after the warm-up', async () => {
    const calls: string[] = [];
    const given = { a: [50, 60, 4, 1, 2], b: [70, 80, 9, 7, 8] };
    const variant = (name: 'a' | 'b') => (): Promise<unknown> => {
      calls.push(name);
      return Promise.resolve(given[name].shift());
    };
    const timings = await measureInTurn({ a: variant('a'), b: variant('b') }, 3, 2);
    expect(calls.join('')).toBe('abbaabbaab');
    expect(timings).toEqual({
      a: { median: 2, minimum: 1, maximum: 4 },
      b: { median: 8, minimum: 7, maximum: 9 },
    });
  });

  it('of an even number have the mean of the middle two as median', () => {
    const values = [4, 1, 9, 2];
    expect(summarise(values)).toEqual({ median: 3, minimum: 1, maximum: 9 });
    expect(values).toEqual([4, 1, 9, 2]);
  });
});
