import { beforeAll, describe, expect, it } from '@jest/globals';
import { selectBackend } from '../backend/select-backend.js';
import { parseConfiguration } from '../configuration.js';
import { ConfigurationError, DataError } from '../errors.js';
import { createDynamicPrompt } from './dynamic-prompt.js';
import { joinLayers, resolveLayers, splitLayers } from './layers.js';

const [slots, width, batch] = [2, 3, 2];
const initialisation = { kind: 'given' } as const;
const counted = (count: number): Float32Array => Float32Array.from({ length: count }, (_, index) => index);

beforeAll(async () => {
  await selectBackend();
});

describe('resolveLayers', () => {
  it.each([
    [1, undefined, 1],
    [1, 12, 1],
    [3, 12, 3],
    [12, 12, 12],
    ['all', 12, 12],
  ] as const)('makes of layers %s and a backbone of %s: %i', (layers, available, expected) => {
    expect(resolveLayers(parseConfiguration({ layers }), available)).toBe(expected);
  });

  it.each([
    [13, 12, /configuration.layers: is 13 where the backbone takes prompts in 12. Use 1..12/],
    [2, undefined, /source.layers: is missing where prompts of 2 layers/],
    ['all', 1, /configuration.layers: is all where the backbone takes prompts in 1. Set layers to 1/],
    ['all', undefined, /source.layers: is missing where prompts of all layers/],
    ['all', 0, /source.layers: is 0/],
  ] as const)('refuses layers %s of a backbone of %s', (layers, available, message) => {
    const resolve = (): unknown => resolveLayers(parseConfiguration({ layers }), available);
    expect(resolve).toThrow(ConfigurationError);
    expect(resolve).toThrow(message);
  });
});

describe('splitLayers', () => {
  it('gives every example its first layer, and its others in order', () => {
    const prompts = counted(2 * 3 * 2); // B = 2, L = 3, l · d = 2
    const { first, deep } = splitLayers(prompts, 2, 3);
    expect([...first]).toEqual([0, 1, 6, 7]);
    expect(deep?.layers).toBe(2);
    expect([...(deep?.prompts ?? [])]).toEqual([2, 3, 4, 5, 8, 9, 10, 11]);
    expect(joinLayers(first, deep?.prompts, 2)).toEqual(prompts);
  });

  it('leaves a single layer alone', () => {
    const prompts = counted(4);
    expect(splitLayers(prompts, 2, 1)).toEqual({ first: prompts, deep: undefined });
    expect(joinLayers(prompts, undefined, 2)).toBe(prompts);
  });
});

describe('a deep prompt', () => {
  it('hands the first layer and the others to the backbone, and takes both gradients back', async () => {
    const given = counted(3 * slots * width);
    const source = { width, seed: 1, layers: 3, given };
    const prompt = await createDynamicPrompt({ slots, layers: 'all', initialisation }, source);
    expect(prompt.layers).toBe(3);
    expect(prompt.parameters.get('representation.prompt')?.shape).toEqual([3, slots, width]);
    const planned = prompt.plan(undefined, batch, { training: false });
    const { plan } = planned;
    expect([...plan.prompts]).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
    const others = [...given].slice(slots * width);
    expect(plan.deep?.layers).toBe(2);
    expect([...(plan.deep?.prompts ?? [])]).toEqual([...others, ...others]);

    const prompts = counted(batch * slots * width);
    const deep = counted(batch * 2 * slots * width);
    const gradients = planned.backward({ prompts, deep, position: undefined, gates: undefined });
    // Sums over the two examples: i + (i + 6) for the first layer, j + (j + 12) for the others.
    expect([...(gradients.get('representation.prompt') ?? [])]).toEqual([
      ...[...counted(6)].map((index) => 2 * index + 6),
      ...[...counted(12)].map((index) => 2 * index + 12),
    ]);
    const shallow = (): unknown => planned.backward({ prompts, position: undefined, gates: undefined });
    expect(shallow).toThrow(/gradient.deep: 0 values where \[2, 2, 2, 3\]/);
    expect(shallow).toThrow(DataError);
  });

  it('of one layer has the tensors and the plan of a shallow one', async () => {
    const source = { width, seed: 1, given: counted(slots * width) };
    const prompt = await createDynamicPrompt({ slots, layers: 1, initialisation }, source);
    expect(prompt.parameters.get('representation.prompt')?.shape).toEqual([slots, width]);
    expect(prompt.plan(undefined, batch, { training: false }).plan.deep).toBeUndefined();
  });
});
