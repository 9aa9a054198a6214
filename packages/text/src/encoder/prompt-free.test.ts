import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FrozenBackbone } from '@dynaprompt/core';
import { bundledModels, miniBert } from '@dynaprompt/mini-models';
import { distance } from '../testing/numbers.js';
import { hiddenStateOf, openReferenceModel, type ReferenceModel } from '../testing/reference.js';
import type { TextExample } from '../tokenization/encode.js';
import { loadTokenizer } from '../tokenization/tokenizer.js';
import { createTextEncoder } from './text-encoder.js';

const words = ['good', 'bad', 'funny'];
const texts = [
  'a gorgeous , witty , seductive movie .',
  'dull',
  'the film is strictly routine and unbelievably slow from the first minute to the last one .',
];
const none = new Map<string, never>();
const headless = { threads: 1, reserve: 8 } as const;

describe('verbaliser', () => {
  let backbone: FrozenBackbone<TextExample>;
  let reference: ReferenceModel;
  beforeAll(async () => {
    const head = { kind: 'verbalizer', template: '{text} It was {mask} .', words } as const;
    backbone = await createTextEncoder(miniBert, { ...headless, head });
    reference = await openReferenceModel();
  });
  afterAll(async () => {
    await backbone.release();
    await reference.release();
  });

  it.each(texts)("gives transformers.js' logits at the mask for %j", async (text) => {
    const logits = await backbone.predict([{ text }], undefined, none);
    const [expected = []] = await reference.maskLogits([`${text} It was [MASK] .`], words);
    expect(distance(logits, expected)).toBeLessThan(1e-4);
    expect(distance(logits, [...expected].reverse())).toBeGreaterThan(0.1);
  });

  it("gives transformers.js' logits in a padded batch", async () => {
    const logits = await backbone.predict(
      texts.map((text) => ({ text })),
      undefined,
      none,
    );
    const expected = await reference.maskLogits(
      texts.map((text) => `${text} It was [MASK] .`),
      words,
    );
    expect(distance(logits, expected.flat())).toBeLessThan(1e-4);
  });

  it('has no head to train', () => {
    expect(backbone.initialHead(1).size).toBe(0);
    expect(backbone.classes).toBe(3);
  });

  it('pools the hidden state at the mask', async () => {
    const pooled = await backbone.pooled([{ text: 'dull' }]);
    const tokenizer = await loadTokenizer(miniBert);
    const ids = [2, ...tokenizer.encode('dull It was [MASK] .'), 3];
    const hidden = await hiddenStateOf(
      ids,
      ids.map(() => 0),
    );
    const mask = ids.indexOf(4);
    expect(distance(pooled, hidden.subarray(mask * 256, (mask + 1) * 256))).toBeLessThan(1e-5);
  });
});

describe.each(['mean', 'cls'] as const)('linear head, pooling %s', (pooling) => {
  let backbone: FrozenBackbone<TextExample>;
  beforeAll(async () => {
    backbone = await createTextEncoder(miniBert, {
      ...headless,
      head: { kind: 'linear', classes: 2, pooling },
    });
  });
  afterAll(() => backbone.release());
  const pair: TextExample = { text: 'a man is asleep .', pair: 'nobody is awake in here today' };
  const examples: TextExample[] = [...texts.map((text) => ({ text })), pair, { text: '' }];

  it('has features that are the mean of the last hidden state over all own tokens', async () => {
    const tokenizer = await loadTokenizer(miniBert);
    const first = tokenizer.encode(pair.text);
    const second = tokenizer.encode(pair.pair ?? '');
    const ids = [2, ...first, 3, ...second, 3];
    const types = ids.map((_, index) => (index < first.length + 2 ? 0 : 1));
    const hidden = await hiddenStateOf(ids, types);
    const mean = new Float32Array(256).map((_, column) =>
      ids.reduce((sum, _id, row) => sum + (hidden[row * 256 + column] ?? NaN) / ids.length, 0),
    );
    expect(distance(await backbone.features([pair]), mean)).toBeLessThan(1e-5);
    const pooled = await backbone.pooled([pair]);
    expect(distance(pooled, pooling === 'mean' ? mean : hidden.subarray(0, 256))).toBeLessThan(1e-5);
  });

  it('gives an example alone what it gives it in a padded batch', async () => {
    const head = backbone.initialHead(3);
    const together = {
      features: await backbone.features(examples),
      pooled: await backbone.pooled(examples),
      predict: await backbone.predict(examples, undefined, head),
    };
    for (const [index, example] of examples.entries()) {
      const row = (values: Float32Array, width: number): Float32Array =>
        values.subarray(index * width, (index + 1) * width);
      expect(distance(await backbone.features([example]), row(together.features, 256))).toBeLessThan(1e-5);
      expect(distance(await backbone.pooled([example]), row(together.pooled, 256))).toBeLessThan(1e-5);
      expect(
        distance(await backbone.predict([example], undefined, head), row(together.predict, 2)),
      ).toBeLessThan(1e-5);
    }
  });

  it('applies weight and bias to the pooled state', async () => {
    const head = backbone.initialHead(3);
    const weight = head.get('head.weight')?.values ?? new Float32Array();
    const bias = head.get('head.bias')?.values ?? new Float32Array();
    bias.set([0.5, -0.25]);
    const pooled = await backbone.pooled([pair]);
    const expected = [0, 1].map((label) =>
      pooled.reduce(
        (sum, value, column) => sum + value * (weight[label * 256 + column] ?? NaN),
        bias[label] ?? NaN,
      ),
    );
    expect(distance(await backbone.predict([pair], undefined, head), expected)).toBeLessThan(1e-5);
  });

  it('has the features of each example, not of its batch', async () => {
    const features = await backbone.features(examples);
    expect(distance(features.subarray(0, 256), features.subarray(256, 512))).toBeGreaterThan(0.1);
  });
});

it('describes itself', async () => {
  const head = { kind: 'linear', classes: 4 } as const;
  const backbone = await createTextEncoder(miniBert, { ...headless, head, maximumTokens: 20 });
  const { parameters, family } = bundledModels['mini-bert'];
  expect(backbone.description).toMatchObject({
    name: 'mini-bert',
    family,
    parameters,
    dtype: 'fp32',
    maximumTokens: 128,
    layers: 4,
  });
  expect(backbone.description.revision).toMatch(/^[0-9a-f]{16}$/);
  expect([backbone.width, backbone.classes]).toEqual([256, 4]);
  expect(backbone.lengthOf({ text: 'a film', pair: 'good' })).toBe(6);
  expect(backbone.lengthOf({ text: 'good '.repeat(40) })).toBe(20);
  const same = [{ text: 'a', pair: 'b' }, { id: '1', text: 'a', pair: 'b' }, { text: 'a' }, { text: 'ab' }];
  const identities = same.map((example) => backbone.identify(example));
  expect(identities[0]).toBe(identities[1]);
  expect(new Set(identities).size).toBe(3);
  const [first, again, other] = [backbone.initialHead(1), backbone.initialHead(1), backbone.initialHead(2)];
  expect(first).toEqual(again);
  expect(first).not.toEqual(other);
  expect([...first].map(([name, { shape }]) => [name, shape])).toEqual([
    ['head.weight', [4, 256]],
    ['head.bias', [4]],
  ]);
  await backbone.release();
});
