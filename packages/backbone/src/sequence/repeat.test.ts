import { expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import { repeatPlan, sumRepeated } from './repeat.js';

const plan = {
  batch: 2,
  slots: 1,
  width: 2,
  prompts: Float32Array.of(1, 2, 3, 4),
  position: { mode: 'split', candidates: 2, choice: Int32Array.of(0, 1) },
  gates: Float32Array.of(0.5, 1),
} as const;

it('repeats every row of a plan, and sums what comes back', () => {
  const deep = { layers: 1, prompts: Float32Array.of(5, 6, 7, 8) };
  const repeated = nullThrows(repeatPlan({ ...plan, deep }, [3, 3]), 'there is a plan');
  expect(repeated.batch).toBe(6);
  expect([...repeated.prompts]).toEqual([1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]);
  expect([...repeated.position.choice]).toEqual([0, 0, 0, 1, 1, 1]);
  expect([...(repeated.gates ?? [])]).toEqual([0.5, 0.5, 0.5, 1, 1, 1]);
  expect([...(repeated.deep?.prompts ?? [])]).toEqual([5, 6, 5, 6, 5, 6, 7, 8, 7, 8, 7, 8]);
  const summed = sumRepeated(
    {
      prompts: Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60),
      position: undefined,
      gates: Float32Array.of(1, 2, 3, 4, 5, 6),
    },
    [3, 3],
  );
  expect([...summed.prompts]).toEqual([6, 60, 15, 150]);
  expect([...(summed.gates ?? [])]).toEqual([6, 15]);
  expect(summed.position).toBeUndefined();
  expect(repeatPlan(plan, [1, 1])).toBe(plan);
});

it('repeats the rows of examples as often as each of them asks', () => {
  const repeated = nullThrows(repeatPlan(plan, [1, 3]), 'there is a plan');
  expect(repeated.batch).toBe(4);
  expect([...repeated.prompts]).toEqual([1, 2, 3, 4, 3, 4, 3, 4]);
  expect([...repeated.position.choice]).toEqual([0, 1, 1, 1]);
  const { prompts, position } = sumRepeated(
    {
      prompts: Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40),
      position: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      gates: undefined,
    },
    [1, 3],
  );
  expect([...prompts]).toEqual([1, 10, 9, 90]);
  expect([...(position ?? [])]).toEqual([1, 2, 15, 18]);
});
