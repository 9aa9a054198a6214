import { describe, expect, it } from '@jest/globals';

import { ConfigurationError } from '@dynaprompt/core';

import { drawTasks, taskProbabilities, type TaskSampling } from './task-sampling.js';

describe('taskProbabilities', () => {
  it.each<[TaskSampling, number[]]>([
    [{ kind: 'proportional' }, [0.1, 0.4, 0.5]],
    [{ kind: 'equal' }, [1 / 3, 1 / 3, 1 / 3]],
    // √100 : √400 : √500
    [{ kind: 'temperature', temperature: 2 }, [10, 20, Math.sqrt(500)].map((x) => x / (30 + Math.sqrt(500)))],
    [{ kind: 'temperature', temperature: 1 }, [0.1, 0.4, 0.5]],
  ])('%j', (sampling, expected) => {
    taskProbabilities([100, 400, 500], sampling).forEach((probability, index) => {
      expect(probability).toBeCloseTo(expected[index] ?? NaN, 12);
    });
  });

  it.each([0, -1, NaN])('refuses temperature %d', (temperature) => {
    expect(() => taskProbabilities([1], { kind: 'temperature', temperature })).toThrow(ConfigurationError);
  });
});

describe('drawTasks', () => {
  it('draws tasks as often as they should be drawn', () => {
    const turns = drawTasks([100, 400, 500], { kind: 'proportional' }, 1, 20_000);
    // Three standard deviations of a share of 20,000 draws are at most 0.011.
    [0.1, 0.4, 0.5].forEach((probability, task) => {
      const share = turns.filter((turn) => turn === task).length / turns.length;
      expect(Math.abs(share - probability)).toBeLessThan(0.011);
    });
  });

  it('depends on the seed alone, and begins alike however long the run is', () => {
    const sampling = { kind: 'equal' } as const;
    const turns = drawTasks([3, 5], sampling, 7, 100);
    expect(drawTasks([3, 5], sampling, 7, 40)).toEqual(turns.slice(0, 40));
    expect(drawTasks([3, 5], sampling, 8, 100)).not.toEqual(turns);
  });
});
