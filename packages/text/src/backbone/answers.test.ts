import { describe, expect, it } from '@jest/globals';
import { answerFeeds, decoderIds, withAnswer } from './answers.js';

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

  it('count by their mean where it is asked for', () => {
    const { answer_weights: weights } = answerFeeds(answers, 0, 'mean');
    expect(numbers(weights)).toEqual([1 / 3, 1 / 3, 1 / 3, 0, 0, 0, 1, 0, 0].map(Math.fround));
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
      answered: 2,
    });
  });
});
