import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { createSchedule } from './schedule.js';
import type { ScheduleOptions } from './schedule.js';

describe('createSchedule', () => {
  it.each([
    [{ kind: 'constant' }, [1, 1, 1]],
    [{ kind: 'constant', warmUp: 4 }, [0.25, 0.5, 0.75, 1, 1]],
    [{ kind: 'linear', steps: 4 }, [1, 0.75, 0.5, 0.25, 0, 0]],
    [{ kind: 'linear', warmUp: 2, steps: 6, final: 0.2 }, [0.5, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.2]],
    [{ kind: 'cosine', steps: 4 }, [1, 0.853553, 0.5, 0.146447, 0, 0]],
    [{ kind: 'cosine', warmUp: 1, steps: 3, final: 0.1 }, [1, 1, 0.55, 0.1]],
  ] as [ScheduleOptions, number[]][])('%j', (options, expected) => {
    const schedule = createSchedule(options);
    expected.forEach((factor, step) => {
      expect(schedule(step)).toBeCloseTo(factor, 6);
    });
  });

  it.each([
    { kind: 'linear' },
    { kind: 'cosine', steps: 10, warmUp: 10 },
    { kind: 'constant', warmUp: -1 },
    { kind: 'linear', steps: 2, final: NaN },
  ] as ScheduleOptions[])('refuses %j', (options) => {
    expect(() => createSchedule(options)).toThrow(ConfigurationError);
  });
});
