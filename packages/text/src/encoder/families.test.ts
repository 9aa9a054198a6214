import { afterAll, describe, expect, it } from '@jest/globals';
import { stream, type FrozenBackbone } from '@dynaprompt/core';
import { floatsOf, int64, type TensorValue } from '@dynaprompt/onnx-autodiff';
import { ENCODERS, fixtureFile, runFile, textOf, writeFixture } from '../testing/fixture-folders.js';
import { temporaryFolder } from '../testing/folders.js';
import { at, distance } from '../testing/numbers.js';
import type { TextExample } from '../tokenization/encode.js';
import { createTextEncoder } from './text-encoder.js';

const temporary = temporaryFolder();
afterAll(() => {
  temporary.remove();
});
const open = (name: string, folder: string): Promise<FrozenBackbone<TextExample>> => {
  const model = ENCODERS[name];
  if (!model) throw new Error(name);
  writeFixture(`${temporary.folder}/${folder}`, model);
  return createTextEncoder(`${temporary.folder}/${folder}`, {
    head: { kind: 'linear', classes: 3, pooling: 'cls' },
    reserve: 4,
    threads: 1,
  });
};

describe.each(Object.entries(ENCODERS))('%s', (name, model) => {
  it('gives the hidden states of its ONNX file', async () => {
    const backbone = await open(name, name);
    const [cls = 0, sep = 0] = ['[CLS]', '[SEP]'].map((token) => model.special[token]);
    const separators = model.frames.pair.includes('[SEP] [SEP]') ? [sep, sep] : [sep];
    const ids = [cls, 10, 11, 12, ...separators, 20, 21, sep];
    const types = ids.map((_, index) => (index < 4 + separators.length ? 0 : 1));
    const dims = [1, ids.length];
    const feeds: Record<string, TensorValue> = {
      input_ids: int64(ids, dims),
      attention_mask: int64(
        ids.map(() => 1),
        dims,
      ),
    };
    if (['bert', 'electra', 'albert', 'deberta-v2'].includes(name)) feeds.token_type_ids = int64(types, dims);
    const results = await runFile(fixtureFile(model.files['model.onnx'] ?? ''), feeds, [model.hidden]);
    const hidden = floatsOf(results[model.hidden]);
    const wide = hidden.length / ids.length;
    // Hidden states of another width come through the matrix that the README states.
    const random = stream(0, 'hidden state projection');
    const { width } = backbone;
    const matrix = Float32Array.from({ length: wide * width }, () => random.normal() / Math.sqrt(width));
    const given = (row: ArrayLike<number>): number[] =>
      wide === width
        ? Array.from(row)
        : Array.from({ length: width }, (_, column) =>
            Array.from(row).reduce(
              (sum, value, index) => sum + value * at(matrix, index * width + column),
              0,
            ),
          );
    const mean = Array.from({ length: wide }, (_, column) =>
      ids.reduce((sum, _id, row) => sum + at(hidden, row * wide + column) / ids.length, 0),
    );
    const example = { text: textOf(10, 11, 12), pair: textOf(20, 21) };
    expect(distance(await backbone.features([example]), given(mean))).toBeLessThan(2e-6);
    expect(distance(await backbone.pooled([example]), given(hidden.subarray(0, wide)))).toBeLessThan(4e-6);
    await backbone.release();
  });
});

it.each([
  ['bert', 32],
  // Positions are counted from 2 on.
  ['roberta', 30],
  ['mpnet', 30],
])('takes as many tokens as %s has positions', async (name, tokens) => {
  const backbone = await open(name, `${name} positions`);
  expect(backbone.description.maximumTokens).toBe(tokens);
  const plan = {
    batch: 1,
    slots: 4,
    width: backbone.width,
    prompts: await backbone.promptRows(4, 0),
    position: { mode: 'split' as const, candidates: 5, choice: Int32Array.of(2) },
    gates: undefined,
  };
  const endless = { text: textOf(...new Array<number>(50).fill(15)) };
  expect(backbone.lengthOf(endless)).toBe(tokens - 4);
  const logits = await backbone.predict([endless], plan, backbone.initialHead(1));
  expect(logits.every(Number.isFinite)).toBe(true);
  await backbone.release();
});

it('counts a prompt among the positions where these follow from the ids', async () => {
  // Embedded words as the prompt are those words in the text.
  const backbone = await open('roberta', 'roberta counts');
  const words = (await backbone.promptRows(20, 0)).subarray(0, 2 * backbone.width);
  const lookup = [...Array(59).keys()].map((index) => index + 7);
  const plan = {
    batch: 1,
    slots: 2,
    width: backbone.width,
    prompts: words.slice(),
    position: { mode: 'split' as const, candidates: 3, choice: Int32Array.of(2) },
    gates: undefined,
  };
  const head = backbone.initialHead(1);
  const prompted = await backbone.predict([{ text: textOf(30, 31, 32) }], plan, head);
  const [first = 0, second = 0] = lookup;
  const plain = await backbone.predict([{ text: textOf(first, second, 30, 31, 32) }], undefined, head);
  expect(distance(prompted, plain)).toBeLessThan(1e-6);
  const other = await backbone.predict([{ text: textOf(second, first, 30, 31, 32) }], undefined, head);
  expect(distance(prompted, other)).toBeGreaterThan(1e-5);
  await backbone.release();
});
