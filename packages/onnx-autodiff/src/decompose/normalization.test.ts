import { DataType } from '../graph/types.js';
import { decomposed, describeDecompositions } from '../testing/decomposition-cases.js';
import { absent, between, floats, shortFed, shortTensor } from '../testing/gradient-cases.js';
import { normalizationDecompositions } from './normalization.js';

const { float32, int32 } = DataType;
const gamma = between(0.5, 1.5, 4);
const epsilon = { float: 1e-3 };
const rows = ['B=2', 'S=3', 4];
const ids = shortFed(['B=2', 'S=3'], 1, 0, 4, 4, 2, 3);
const segments = shortFed(['B=2', 'S=3'], 0, 0, 1, 1, 1, 0);
const tables = { words: [5, 4], positions: [12, 4] };
const image = ['B=2', 4, 'H=3', 2];

describeDecompositions('normalisations', normalizationDecompositions, {
  'com.microsoft.SkipLayerNormalization': {
    'with beta': decomposed({ input: rows, skip: rows, gamma, beta: [4] }, { epsilon }),
    'with bias and the sum': decomposed(
      { input: rows, skip: rows, gamma, beta: [4], bias: [4] },
      { epsilon },
      { outputs: [float32, '', '', float32] },
    ),
    'without beta': decomposed({ input: rows, skip: rows, gamma, beta: absent, bias: [4] }, { epsilon }),
    'a skip for the whole batch': decomposed(
      { input: rows, skip: [1, 'S=3', 4], gamma, beta: [4] },
      { epsilon },
    ),
    'a skip without batch axis': decomposed({ input: rows, skip: ['S=3', 4], gamma, beta: [4] }, { epsilon }),
    'one example': decomposed({ input: ['B=1', 'S=1', 4], skip: ['B=1', 'S=1', 4], gamma, beta: [4] }),
  },
  'com.microsoft.SkipSimplifiedLayerNormalization': {
    plain: decomposed({ input: rows, skip: rows, gamma }, { epsilon }),
    'with bias and the sum': decomposed(
      { input: rows, skip: rows, gamma, bias: [4] },
      { epsilon },
      { outputs: [float32, '', '', float32] },
    ),
  },
  'com.microsoft.EmbedLayerNormalization': {
    'words, positions and segments': decomposed(
      { ids, segments, ...tables, kinds: [2, 4], gamma, beta: [4] },
      { epsilon },
      { outputs: [float32, int32] },
    ),
    'a mask that is counted': decomposed(
      {
        ids,
        segments,
        ...tables,
        kinds: [2, 4],
        gamma,
        beta: [4],
        mask: shortFed(['B=2', 'S=3'], 1, 1, 0, 1, 1, 1),
      },
      { epsilon },
      { outputs: [float32, int32] },
    ),
    'without segments, the sum too': decomposed(
      { ids, segments: absent, ...tables, kinds: absent, gamma, beta: [4] },
      { epsilon },
      { outputs: [float32, int32, float32] },
    ),
    'positions that are given': decomposed(
      {
        ids,
        segments: absent,
        ...tables,
        kinds: absent,
        gamma,
        beta: [4],
        mask: absent,
        places: shortFed(['B=2', 'S=3'], 2, 3, 4, 0, 1, 5),
      },
      { epsilon },
      { outputs: [float32, int32] },
    ),
    'positions for the whole batch': decomposed(
      {
        ids: shortFed(['B=2', 3], 1, 0, 4, 4, 2, 3),
        segments: absent,
        ...tables,
        kinds: absent,
        gamma,
        beta: [4],
        mask: absent,
        places: shortTensor([1, 3], 2, 3, 4),
      },
      { epsilon },
      { outputs: [float32, int32] },
    ),
  },
  RMSNormalization: {
    'constant scale': decomposed({ x: rows, scale: floats([4], 1, 2, 3, -1) }, { epsilon }, { opset: 23 }),
    'computed scale': decomposed({ x: rows, scale: gamma }, {}, { opset: 23 }),
    'two axes': decomposed({ x: rows, scale: between(0.5, 1.5, 'S=3', 4) }, { axis: 1 }, { opset: 23 }),
  },
  BatchNormalization: {
    'an image': decomposed({
      x: image,
      scale: gamma,
      bias: [4],
      mean: [4],
      variance: between(0.5, 1.5, 4),
    }),
    'a matrix': decomposed({
      x: ['B=2', 4],
      scale: gamma,
      bias: [4],
      mean: [4],
      variance: between(0.5, 1.5, 4),
    }),
  },
  InstanceNormalization: { 'an image': decomposed({ x: image, scale: gamma, bias: [4] }, { epsilon }) },
  GroupNormalization: {
    'a scale per group': decomposed(
      { x: image, scale: between(0.5, 1.5, 2), bias: [2] },
      { num_groups: 2 },
      { opset: 18 },
    ),
    'a scale per channel': decomposed(
      { x: image, scale: gamma, bias: [4] },
      { num_groups: 2 },
      { opset: 21 },
    ),
  },
});
