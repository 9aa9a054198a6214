import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone } from '@dynaprompt/core';
import { AutoTokenizer } from '@huggingface/transformers';
import { miniBert } from '@dynaprompt/mini-models';
import { distance } from '../testing/numbers.js';
import { normals, planOf } from '../testing/plans.js';
import type { TextExample } from '../tokenization/encode.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { createTextEncoder } from './text-encoder.js';

const SLOTS = 4;
const OFFSET = 30;
const WIDTH = 256;
const threads = 1;

/** The words whose embeddings `promptRows(SLOTS, OFFSET)` gives. */
let prompt: string[];
/** [l, d] */
let rows: Float32Array;
let linear: FrozenBackbone<TextExample>;
let verbaliser: FrozenBackbone<TextExample>;

beforeAll(async () => {
  linear = await createTextEncoder(miniBert, {
    threads,
    reserve: 8,
    // The first token's state sees the prompt and is at the same place however long the text is.
    head: { kind: 'linear', classes: 3, pooling: 'cls' },
  });
  verbaliser = await createTextEncoder(miniBert, {
    threads,
    reserve: 8,
    head: { kind: 'verbalizer', template: '{text} It was {mask} .', words: ['good', 'bad', 'funny'] },
  });
  const tokenizer = await loadTokenizer(miniBert);
  const reference = await AutoTokenizer.from_pretrained(miniBert, { local_files_only: true });
  prompt = tokenizer
    .wordIds()
    .slice(OFFSET, OFFSET + SLOTS)
    .map((id) => reference.decode([id]));
  rows = await linear.promptRows(SLOTS, OFFSET);
});
afterAll(async () => {
  await linear.release();
  await verbaliser.release();
});

/** [batch, l, d] the same rows for every example. */
const repeated = (batch: number): Float32Array =>
  Float32Array.from({ length: batch * rows.length }, (_, index) => rows[index % rows.length] ?? NaN);
const plan = (batch: number, choice: readonly number[]): ReturnType<typeof planOf> =>
  planOf({ batch, slots: SLOTS, width: WIDTH, prompts: repeated(batch), choice });
const head = (): ReturnType<typeof linear.initialHead> => {
  const parameters = linear.initialHead(1);
  parameters.get('head.weight')?.values.set(normals('weight', 3 * WIDTH, 0.3));
  return parameters;
};

describe('a prompt made of embeddings of words', () => {
  const text = 'a quiet film about nothing much';

  it.each([0, 1, 2, 3, 4])('equals writing the words, %i in front and the rest behind', async (front) => {
    const written = [...prompt.slice(0, front), text, ...prompt.slice(front)].join(' ');
    const injected = await linear.predict([{ text }], plan(1, [front]), head());
    expect(distance(injected, await linear.predict([{ text: written }], undefined, head()))).toBeLessThan(
      1e-4,
    );
  });

  it.each([0, 3, 4])('equals writing the words around a template, %i in front', async (front) => {
    const around = (template: string): string =>
      [...prompt.slice(0, front), template, ...prompt.slice(front)].join(' ');
    const written = await createTextEncoder(miniBert, {
      threads,
      reserve: 0,
      head: {
        kind: 'verbalizer',
        template: around('{text} It was {mask} .'),
        words: ['good', 'bad', 'funny'],
      },
    });
    const injected = await verbaliser.predict([{ text }], plan(1, [front]), new Map());
    expect(distance(injected, await written.predict([{ text }], undefined, new Map()))).toBeLessThan(1e-4);
    await written.release();
  });

  it.each([
    [0, 0],
    [1, 2],
    [2, 4],
    [3, 6],
  ])('equals writing the words at anchor %i of 4, before word %i', async (anchor, before) => {
    const tokens = text.split(' ');
    expect(tokens).toHaveLength(6);
    const written = [...tokens.slice(0, before), ...prompt, ...tokens.slice(before)].join(' ');
    const inserted = planOf({
      batch: 1,
      slots: SLOTS,
      width: WIDTH,
      prompts: rows,
      mode: 'insert',
      candidates: 4,
      choice: [anchor],
    });
    expect(
      distance(
        await linear.predict([{ text }], inserted, head()),
        await linear.predict([{ text: written }], undefined, head()),
      ),
    ).toBeLessThan(1e-4);
  });

  it('changes the logits, and changes them when it moves', async () => {
    const logits = await Promise.all(
      [0, 1, 2, 3, 4].map((front) => linear.predict([{ text }], plan(1, [front]), head())),
    );
    const free = await linear.predict([{ text }], undefined, head());
    for (const [index, left] of logits.entries()) {
      expect(distance(left, free)).toBeGreaterThan(0.01);
      for (const right of logits.slice(index + 1)) expect(distance(left, right)).toBeGreaterThan(1e-3);
    }
  });

  it('is the same in front of an empty text as the words alone', async () => {
    const alone = await linear.predict([{ text: prompt.join(' ') }], undefined, head());
    expect(distance(await linear.predict([{ text: '' }], plan(1, [2]), head()), alone)).toBeLessThan(1e-4);
  });

  it('is looked up from different words at different offsets', async () => {
    const shifted = await linear.promptRows(SLOTS, OFFSET + 1);
    expect(shifted.subarray(0, 3 * WIDTH)).toEqual(rows.subarray(WIDTH));
    expect(await linear.promptRows(SLOTS, OFFSET)).toEqual(rows);
  });
});

it('gives a prompted example alone what it gives it in a padded batch, pairs and other positions beside it', async () => {
  const examples: TextExample[] = [
    { text: 'short' },
    { text: 'a pair of', pair: 'rather different texts' },
    { text: 'one that is a good deal longer than the others , so that they are padded .' },
  ];
  const choice = [3, 0, 4];
  for (const backbone of [linear, verbaliser]) {
    const parameters = backbone === linear ? head() : new Map<string, never>();
    const together = await backbone.predict(examples, plan(3, choice), parameters);
    for (const [index, example] of examples.entries()) {
      const alone = await backbone.predict([example], plan(1, choice.slice(index, index + 1)), parameters);
      expect(distance(alone, together.subarray(index * 3, index * 3 + 3))).toBeLessThan(1e-5);
    }
  }
});

it('fills the model to its last position', async () => {
  const text = 'good '.repeat(200);
  expect(linear.lengthOf({ text })).toBe(120);
  const prompts = normals('prompt', 8 * WIDTH, 0.05);
  const full = planOf({ batch: 1, slots: 8, width: WIDTH, prompts, choice: [5] });
  expect((await linear.predict([{ text }], full, head())).every(Number.isFinite)).toBe(true);
  const step = await linear.differentiate({ examples: [{ text }], labels: Int32Array.of(2) }, full, head(), {
    position: true,
    gates: false,
  });
  expect(step.plan.prompts.every(Number.isFinite)).toBe(true);
});
