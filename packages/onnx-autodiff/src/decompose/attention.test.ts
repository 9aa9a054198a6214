import { describe, expect, it } from '@jest/globals';
import { prepareGraph } from '../differentiate.js';
import type { Emitter } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { elementCount } from '../graph/tensor-data.js';
import { DataType } from '../graph/types.js';
import { float32 as floatTensor } from '../session/tensor-value.js';

import { decomposed, describeDecompositions } from '../testing/decomposition-cases.js';
import { absent, shortFed } from '../testing/gradient-cases.js';
import { buildModel, distance, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { attentionDecompositions } from './attention.js';

const { float32 } = DataType;
const input = ['B=2', 'S=3', 5];
const packed = { input, weights: [5, 12], bias: [12] };
const heads = { num_heads: 2 };
const flat = ['B=2', 'S=3', 4];
const three = { query: flat, key: flat, value: flat };
const cross = { query: flat, key: ['B=2', 'T=5', 4], value: ['B=2', 'T=5', 4] };
const present = { outputs: [float32, float32] };

describeDecompositions('attention', attentionDecompositions, {
  'com.microsoft.Attention': {
    'without a mask': decomposed(packed, heads),
    'one example of one token': decomposed({ ...packed, input: ['B=1', 'S=1', 5] }, heads),
    'tokens that count': decomposed({ ...packed, mask: shortFed(['B=2', 'S=3'], 1, 1, 0, 0, 1, 1) }, heads),
    'an example without a token that counts': decomposed(
      { ...packed, mask: shortFed(['B=2', 'S=3'], 0, 0, 0, 0, 1, 1) },
      // With the usual filter its rows carry the rounding of 10000.
      { ...heads, mask_filter_value: { float: -30 } },
    ),
    'another filter': decomposed(
      { ...packed, mask: shortFed(['B=2', 'S=3'], 1, 1, 0, 0, 1, 1) },
      { ...heads, mask_filter_value: { float: -2 } },
    ),
    lengths: decomposed({ ...packed, mask: shortFed(['B=2'], 2, 3) }, heads),
    'ends and starts': decomposed(
      { ...packed, input: [2, 'S=3', 5], mask: shortFed([4], 2, 3, 0, 1) },
      heads,
    ),
    'keys of each query': decomposed(
      {
        ...packed,
        mask: shortFed(['B=2', 'S=3', 'S=3'], 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1),
      },
      heads,
    ),
    'what came before': decomposed(packed, { ...heads, unidirectional: 1 }),
    'what came before and counts': decomposed(
      { ...packed, mask: shortFed(['B=2', 'S=3'], 1, 1, 0, 1, 1, 1) },
      { ...heads, unidirectional: 1 },
    ),
    'a bias for all examples': decomposed(
      { ...packed, mask: absent, past: absent, extra: [1, 2, 'S=3', 'S=3'] },
      heads,
    ),
    'a bias for all heads, and lengths': decomposed(
      { ...packed, mask: shortFed(['B=2'], 2, 3), past: absent, extra: ['B=2', 1, 'S=3', 'S=3'] },
      heads,
    ),
    'another scale': decomposed(packed, { ...heads, scale: { float: 0.3 } }),
    'values of another width': decomposed(
      { input, weights: [5, 14], bias: [14] },
      { ...heads, qkv_hidden_sizes: [4, 4, 6] },
    ),
    'an empty past': decomposed(
      { ...packed, mask: absent, past: [2, 'B=2', 2, 'P=0', 2] },
      { ...heads, unidirectional: 1 },
      present,
    ),
    'a past': decomposed(
      {
        ...packed,
        mask: shortFed(['B=2', 5], 1, 1, 1, 1, 0, 0, 1, 1, 1, 1),
        past: [2, 'B=2', 2, 2, 2],
        input: ['B=2', 3, 5],
      },
      { ...heads, unidirectional: 1 },
      present,
    ),
  },
  'com.microsoft.MultiHeadAttention': {
    itself: decomposed(three, heads),
    others: decomposed(cross, heads),
    'one example of one token': decomposed(
      { query: ['B=1', 'S=1', 4], key: ['B=1', 'T=1', 4], value: ['B=1', 'T=1', 4] },
      heads,
    ),
    'a width that varies': decomposed(
      {
        query: ['B=2', 'S=3', 'D=4'],
        key: ['B=2', 'T=5', 'D=4'],
        value: ['B=2', 'T=5', 'D=4'],
        bias: absent,
      },
      { num_heads: 1 },
    ),
    'with biases': decomposed({ ...three, bias: [12] }, heads),
    'values of another width, with biases': decomposed(
      { ...cross, value: ['B=2', 'T=5', 6], bias: [14] },
      heads,
    ),
    'tokens that count': decomposed(
      { ...cross, bias: absent, mask: shortFed(['B=2', 'T=5'], 1, 1, 0, 0, 1, 0, 0, 1, 1, 1) },
      heads,
    ),
    lengths: decomposed({ ...cross, bias: absent, mask: shortFed(['B=2'], 3, 5) }, heads),
    'keys of each query': decomposed(
      {
        ...three,
        bias: absent,
        mask: shortFed(['B=2', 'S=3', 'S=3'], 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1),
      },
      heads,
    ),
    'a bias': decomposed({ ...cross, bias: absent, mask: absent, extra: [1, 2, 'S=3', 'T=5'] }, heads),
    'a bias for all heads': decomposed(
      { ...cross, bias: absent, mask: shortFed(['B=2'], 3, 5), extra: ['B=2', 1, 'S=3', 'T=5'] },
      heads,
    ),
    'another scale': decomposed(cross, { ...heads, scale: { float: 0.3 } }),
    'what came before': decomposed(three, { ...heads, unidirectional: 1 }),
    'heads in front': decomposed(
      { query: flat, key: ['B=2', 2, 'T=5', 2], value: ['B=2', 2, 'T=5', 2] },
      heads,
    ),
    'a past': decomposed(
      {
        ...three,
        bias: absent,
        mask: absent,
        extra: absent,
        pastKeys: ['B=2', 2, 'P=2', 2],
        pastValues: ['B=2', 2, 'P=2', 2],
      },
      { ...heads, unidirectional: 1 },
      { outputs: [float32, float32, float32] },
    ),
    'an empty past': decomposed(
      {
        ...three,
        bias: absent,
        mask: absent,
        extra: absent,
        pastKeys: ['B=2', 2, 'P=0', 2],
        pastValues: ['B=2', 2, 'P=0', 2],
      },
      heads,
      { outputs: [float32, float32, float32] },
    ),
  },
});

describe('packed keys and values, for which onnxruntime has no kernel on the CPU', () => {
  const mixed = (emit: Emitter, name: string, parts: number): string =>
    floatInput(emit, name, 'B', name, 2, parts, 4);
  /** [B, T, N, parts, H] → one part [B, T, N · H] */
  const part = (emit: Emitter, tensor: string, index: number): string =>
    emit.reshape(emit.op('Gather', [tensor, emit.int(index)], { axis: 3 }), emit.ints(0, 0, -1));
  const attend = (emit: Emitter, ...inputs: readonly string[]): void => {
    emit.output('y', emit.node('MultiHeadAttention', inputs, heads, { domain: 'com.microsoft' })[0]);
  };
  const query = (emit: Emitter): string => floatInput(emit, 'q', 'B', 'S', 8);

  it.each<
    [string, (emit: Emitter) => void, (emit: Emitter) => void, Readonly<Record<string, readonly number[]>>]
  >([
    [
      'queries too',
      (emit) => {
        attend(emit, mixed(emit, 'qkv', 3));
      },
      (emit) => {
        const all = mixed(emit, 'qkv', 3);
        attend(emit, part(emit, all, 0), part(emit, all, 1), part(emit, all, 2));
      },
      { qkv: [2, 3, 2, 3, 4] },
    ],
    [
      'queries apart',
      (emit) => {
        attend(emit, query(emit), mixed(emit, 'kv', 2));
      },
      (emit) => {
        const [q, both] = [query(emit), mixed(emit, 'kv', 2)];
        attend(emit, q, part(emit, both, 0), part(emit, both, 1));
      },
      { q: [2, 3, 8], kv: [2, 5, 2, 2, 4] },
    ],
  ])('%s', async (_name, packedModel, apart, inputs) => {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, dims]) => [
        name,
        floatTensor(randomFloats(5, elementCount(dims)), dims),
      ]),
    );
    const { y: actual } = await evaluate(prepareGraph(buildModel(packedModel)), feeds);
    const { y: expected } = await evaluate(Graph.read(buildModel(apart)), feeds);
    expect(actual?.dims).toEqual(expected?.dims);
    expect(distance(actual, expected)).toBeLessThan(1e-6);
  });
});
