import { describe, expect, it } from '@jest/globals';
import { nullThrows } from '@dynaprompt/core';
import { planOf } from '../testing/plans.js';
import { answerFeeds, decoderIds, repeatPlan, sumRepeated, withAnswer } from './answers.js';

const numbers = (tensor: { readonly data: ArrayLike<number | bigint> } | undefined): number[] =>
  Array.from(tensor?.data ?? [], Number);

describe('answers', () => {
  const answers = [[7, 8, 9], undefined, [5]];

  it('are fed with weights, and an answer that is not there is impossible', () => {
    const feeds = answerFeeds(answers, 1);
    expect(feeds.answer_tokens?.dims).toEqual([3, 4]);
    expect(numbers(feeds.answer_tokens)).toEqual([0, 7, 8, 9, 0, 0, 0, 0, 0, 5, 0, 0]);
    expect(numbers(feeds.answer_weights)).toEqual([0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
    expect(numbers(feeds.answer_bias)).toEqual([0, -1e9, 0]);
  });

  it('are read by a decoder but for their last token', () => {
    const ids = decoderIds([2, 3], answers);
    expect(ids.dims).toEqual([3, 4]);
    expect(numbers(ids)).toEqual([2, 3, 7, 8, 2, 3, 0, 0, 2, 3, 0, 0]);
  });

  it('stand behind everything that a prompt may stand behind', () => {
    const example = { ids: [1, 2], types: [0, 1], mask: -1, layout: { before: 1, content: 1, after: 0 } };
    expect(withAnswer(example, [7, 8, 9])).toEqual({
      ids: [1, 2, 7, 8],
      types: [0, 1, 0, 0],
      mask: -1,
      layout: { before: 1, content: 1, after: 2 },
    });
  });
});

it('repeats every row of a plan, and sums what comes back', () => {
  const plan = planOf({
    batch: 2,
    slots: 1,
    width: 2,
    prompts: Float32Array.of(1, 2, 3, 4),
    choice: [0, 1],
    gates: [0.5, 1],
  });
  const deep = { layers: 1, prompts: Float32Array.of(5, 6, 7, 8) };
  const repeated = nullThrows(repeatPlan({ ...plan, deep }, 3), 'there is a plan');
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
    2,
    3,
  );
  expect([...summed.prompts]).toEqual([6, 60, 15, 150]);
  expect([...(summed.gates ?? [])]).toEqual([6, 15]);
  expect(summed.position).toBeUndefined();
  expect(repeatPlan(plan, 1)).toBe(plan);
});
