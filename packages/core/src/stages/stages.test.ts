import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { onStage, timed, type StageTime } from './stages.js';

describe('timed', () => {
  it('tells of work when it ends, whatever becomes of it', async () => {
    const heard: StageTime[] = [];
    const names = (): string[] => heard.map(({ stage }) => stage);
    const stop = onStage((time) => heard.push(time));
    expect(timed('networks', () => 3)).toBe(3);
    const later = timed('session', () => setTimeout(20, names()));
    const refused = timed('optimiser', async () => Promise.reject(new TypeError('refused')));
    expect(() =>
      timed('data', () => {
        throw new TypeError('bad');
      }),
    ).toThrow('bad');
    expect(names()).toEqual(['networks', 'data']);
    await expect(refused).rejects.toThrow('refused');
    expect(await later).toEqual(['networks']);
    expect(names()).toEqual(['networks', 'data', 'optimiser', 'session']);
    // Timers may fire a little early.
    expect(heard.at(-1)?.milliseconds).toBeGreaterThan(15);
    stop();
    expect(timed('data', () => 4)).toBe(4);
    expect(heard).toHaveLength(4);
  });

  it('is heard by all who listen', () => {
    const counts = [0, 0];
    const stops = counts.map((_, index) => onStage(() => (counts[index] = (counts[index] ?? 0) + 1)));
    timed('data', () => undefined);
    stops[0]?.();
    timed('data', () => undefined);
    stops[1]?.();
    expect(counts).toEqual([1, 2]);
  });
});
