import { beforeAll, describe, expect, it } from '@jest/globals';
import { GATE_FLOOR, type PromptedBatch } from '@dynaprompt/backbone';
import { miniBert } from '@dynaprompt/mini-models';
import { hardGates, planOf } from '../testing/plans.js';
import { encodeExample, type EncodedExample } from '../tokenization/encode.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { assembleBatch, type BatchOptions } from './batch.js';

const SLOTS = 3;
const WIDTH = 2;
const options: BatchOptions = {
  pooling: 'mean',
  padId: 0,
  width: WIDTH,
  modelInputs: new Set(['input_ids', 'attention_mask', 'token_type_ids']),
  gating: 'hard',
};
/** Three and five tokens without prompts, [CLS] and [SEP] included. */
let examples: EncodedExample[];
beforeAll(async () => {
  const tokenizer = await loadTokenizer(miniBert);
  examples = [{ text: 'good' }, { text: 'good', pair: 'bad' }].map((example) =>
    encodeExample(tokenizer, example, undefined, 99),
  );
  expect(examples.map(({ ids }) => ids.length)).toEqual([3, 5]);
});

const prompts = Float32Array.from({ length: 2 * SLOTS * WIDTH }, (_, index) => index);
const plan = (active: readonly number[]): ReturnType<typeof planOf> =>
  planOf({ batch: 2, slots: SLOTS, width: WIDTH, prompts, choice: [0, 1], gates: hardGates(active, SLOTS) });
const rows = ({ feeds }: PromptedBatch, name: string): number[][] => {
  const { data = [], dims: [, extent = 0] = [] } = feeds[name] ?? {};
  const values = Array.from(data, Number);
  return [values.slice(0, extent), values.slice(extent)];
};

describe('hard gating', () => {
  it('shortens the batch to the most active tokens in it and masks the rest', () => {
    const batch = assembleBatch(examples, plan([1, 2]), options);
    expect(batch.feeds.prompt_embeddings?.dims).toEqual([2, 2, WIDTH]);
    expect(Array.from(batch.feeds.prompt_embeddings?.data ?? [], Number)).toEqual([0, 1, 2, 3, 6, 7, 8, 9]);
    expect(rows(batch, 'attention_mask')).toEqual([
      [1, 1, 1, 1, 0, 0, 0],
      [1, 1, 1, 1, 1, 1, 1],
    ]);
    expect(batch.feeds.key_bias).toBeUndefined();
  });

  it('is as long as the texts where no token is active', () => {
    const batch = assembleBatch(examples, plan([0, 0]), options);
    expect(batch.feeds.prompt_embeddings?.dims).toEqual([2, 0, WIDTH]);
    expect(batch.feeds.input_ids?.dims).toEqual([2, 5]);
  });

  it('gives tokens their own types, prompts and padding type 0, and pools own tokens alone', () => {
    const batch = assembleBatch(examples, plan([1, 2]), options);
    expect(rows(batch, 'token_type_ids')).toEqual([
      [0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 1, 0, 1],
    ]);
    const third = Math.fround(1 / 3);
    const fifth = Math.fround(1 / 5);
    expect(rows(batch, 'pooling_weights')).toEqual([
      [third, third, 0, third, 0, 0, 0],
      [fifth, 0, fifth, fifth, fifth, 0, fifth],
    ]);
  });
});

describe('soft gating', () => {
  it('keeps every slot, attends all of them, and gates them by log γ', () => {
    const batch = assembleBatch(examples, plan([1, 2]), { ...options, gating: 'soft' });
    expect(batch.feeds.prompt_embeddings?.data).toBe(prompts);
    expect(rows(batch, 'attention_mask')).toEqual([
      [1, 1, 1, 1, 0, 0, 1, 1],
      [1, 1, 1, 1, 1, 1, 1, 1],
    ]);
    const off = Math.fround(Math.log(GATE_FLOOR));
    expect(rows(batch, 'key_bias')).toEqual([
      [0, 0, 0, 0, 0, 0, off, off],
      [0, 0, 0, 0, 0, 0, 0, off],
    ]);
    expect([...batch.slots]).toEqual([2, 6, 7, 1, 5, 7]);
  });
});

it('leaves out inputs that the model does not have', () => {
  const modelInputs = new Set(['input_ids', 'attention_mask']);
  expect(
    assembleBatch(examples, undefined, { ...options, modelInputs }).feeds.token_type_ids,
  ).toBeUndefined();
});
