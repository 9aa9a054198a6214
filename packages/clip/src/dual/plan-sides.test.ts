import { expect, it } from '@jest/globals';
import { planOf } from '../testing/plans.js';
import { beside, joinSides, ownSides, sumSides } from './plan-sides.js';

it('cuts a plan by columns, and joins what comes back', () => {
  const prompts = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  const plan = planOf({ batch: 1, slots: 2, width: 5, prompts, gates: [1, 0.5], deep: 1 });
  const { text, vision } = ownSides(plan, 2);
  expect([...text.prompts]).toEqual([1, 2, 6, 7]);
  expect([...vision.prompts]).toEqual([3, 4, 5, 8, 9, 10]);
  expect([text.width, vision.width, vision.gates]).toEqual([2, 3, plan.gates]);
  const choices = { position: Float32Array.of(1, 2, 3), gates: Float32Array.of(4, 5) };
  const joined = joinSides(
    { prompts: text.prompts, deep: text.deep?.prompts, ...choices },
    { prompts: vision.prompts, deep: vision.deep?.prompts, ...choices },
    [2, 3],
  );
  expect(joined.prompts).toEqual(prompts);
  expect(joined.deep).toEqual(plan.deep?.prompts);
  expect([...(joined.position ?? []), ...(joined.gates ?? [])]).toEqual([2, 4, 6, 8, 10]);
});

it('adds up what both towers say of one plan', () => {
  const one = { prompts: Float32Array.of(1, 2), position: undefined, gates: undefined, deep: undefined };
  expect(sumSides(one, { ...one, deep: Float32Array.of(3) })).toEqual({
    prompts: Float32Array.of(2, 4),
    position: undefined,
    gates: undefined,
    deep: Float32Array.of(3),
  });
  expect(sumSides(undefined, one)).toBe(one);
  expect([...beside(Float32Array.of(1, 2), Float32Array.of(3, 4, 5, 6), [1, 2])]).toEqual([1, 3, 4, 2, 5, 6]);
});
