import { DataType } from '../graph/types.js';
import { decomposed, describeDecompositions } from '../testing/decomposition-cases.js';
import { absent, fed, shortFed, shortTensor, type Operand } from '../testing/gradient-cases.js';
import { groupQueryDecompositions } from './group-query-attention.js';

const { float32 } = DataType;
const heads = { num_heads: 4, kv_num_heads: 2 };
const turning = { num_heads: 2, kv_num_heads: 1, do_rotary: 1 };
const all = { outputs: [float32, float32, float32] };
const batch = ['B=2', 'S=5'];
const apart = { query: [...batch, 32], key: [...batch, 16], value: [...batch, 16] };
const packed = { query: [...batch, 64], key: absent, value: absent };
const noPast = { pastKeys: absent, pastValues: absent };
const emptyPast = { pastKeys: ['B=2', 2, 'P=0', 8], pastValues: ['B=2', 2, 'P=0', 8] };
const full = { lengths: shortFed(['B=2'], 4, 4), total: shortTensor([], 5) };
// onnxruntime turns heads whose width is a multiple of 16.
const wide = { query: [...batch, 32], key: [...batch, 16], value: [...batch, 16], ...noPast };
const caches = { cosine: [40, 8], sine: [40, 8] };
// The second example has 3 tokens of 5: rows 3 and 4 are padding.
const padded = { lengths: shortFed(['B=2'], 4, 2), total: shortTensor([], 5) };
const isToken = (element: number): boolean => Math.floor(element / 32) < 8;

// A past of 3 tokens, and 2 new ones; onnxruntime takes several new ones for one example only.
const later: Readonly<Record<string, Operand>> = {
  query: [1, 2, 32],
  key: [1, 2, 16],
  value: [1, 2, 16],
  pastKeys: [1, 2, 3, 8],
  pastValues: [1, 2, 3, 8],
  lengths: shortFed([1], 4),
  total: shortTensor([], 5),
};
// One new token after 3 and after 1.
const oneMore: Readonly<Record<string, Operand>> = {
  query: [2, 1, 32],
  key: [2, 1, 16],
  value: [2, 1, 16],
  pastKeys: [2, 1, 3, 16],
  pastValues: [2, 1, 3, 16],
  lengths: shortFed([2], 3, 1),
  total: shortTensor([], 4),
  ...caches,
};

describeDecompositions('grouped queries', groupQueryDecompositions, {
  'com.microsoft.GroupQueryAttention': {
    'a first pass': decomposed({ ...apart, ...noPast, ...full }, heads, all),
    'an empty past': decomposed({ ...apart, ...emptyPast, ...full }, heads, all),
    'as many keys as queries': decomposed(
      { query: [...batch, 16], key: [...batch, 16], value: [...batch, 16], ...noPast, ...full },
      { num_heads: 2, kv_num_heads: 2 },
      all,
    ),
    packed: decomposed({ ...packed, ...emptyPast, ...full }, heads, all),
    'padding on the right': decomposed({ ...apart, ...emptyPast, ...padded }, heads, { isCompared: isToken }),
    'one token': decomposed(
      {
        query: ['B=1', 'S=1', 32],
        key: ['B=1', 'S=1', 16],
        value: ['B=1', 'S=1', 16],
        ...noPast,
        lengths: shortFed(['B=1'], 0),
        total: shortTensor([], 1),
      },
      heads,
      all,
    ),
    'rotary positions': decomposed({ ...wide, ...full, ...caches }, turning, all),
    'rotary positions, packed, neighbours': decomposed(
      { ...packed, ...noPast, ...full, ...caches },
      { ...turning, rotary_interleaved: 1 },
      all,
    ),
    'rotary positions and padding': decomposed({ ...wide, ...padded, ...caches }, turning, {
      isCompared: isToken,
    }),
    'rotary positions that are given': decomposed(
      { ...wide, ...full, ...caches, positions: fed(batch, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6) },
      turning,
    ),
    'part of a head is turned': decomposed(
      { query: [...batch, 64], key: [...batch, 32], value: [...batch, 32], ...noPast, ...full, ...caches },
      turning,
    ),
    'a window of 2': decomposed({ ...apart, ...noPast, ...full }, { ...heads, local_window_size: 2 }),
    'a soft cap': decomposed({ ...apart, ...noPast, ...full }, { ...heads, softcap: { float: 0.7 } }),
    'another scale': decomposed({ ...apart, ...noPast, ...full }, { ...heads, scale: { float: 0.6 } }),
    'a smooth softmax': decomposed(
      { ...apart, ...noPast, ...full },
      { ...heads, smooth_softmax: 1 },
      { precision: 'single' },
    ),
    'a bias': decomposed(
      {
        ...apart,
        ...noPast,
        ...full,
        cosine: absent,
        sine: absent,
        positions: absent,
        bias: ['B=2', 4, 'S=5', 'S=5'],
      },
      heads,
    ),
    'a bias and a soft cap': decomposed(
      {
        ...apart,
        ...noPast,
        ...full,
        cosine: absent,
        sine: absent,
        positions: absent,
        bias: ['B=2', 1, 'S=5', 'S=5'],
      },
      { ...heads, softcap: { float: 0.7 } },
    ),
    'a sink a head': decomposed(
      {
        ...apart,
        ...noPast,
        ...full,
        cosine: absent,
        sine: absent,
        positions: absent,
        bias: absent,
        sinks: [4],
      },
      heads,
      { precision: 'single' },
    ),
    'a past': decomposed(later, heads, all),
    'a past, rotary positions': decomposed(
      { ...later, pastKeys: [1, 1, 3, 16], pastValues: [1, 1, 3, 16], ...caches },
      turning,
      all,
    ),
    // Where onnxruntime puts the new row right behind a shorter past, it stays behind the longest here.
    'pasts of different lengths': decomposed(oneMore, turning, { ...all, comparedOutputs: 1 }),
    'a past and a window': decomposed(later, { ...heads, local_window_size: 3 }, all),
  },
});
