import { decomposed, describeDecompositions } from '../testing/decomposition-cases.js';
import { absent, fed } from '../testing/gradient-cases.js';
import { rotaryDecompositions } from './rotary.js';

const caches = { cosine: [40, 3], sine: [40, 3] };
const flat = ['B=2', 'S=3', 12];
const apart = ['B=2', 2, 'S=3', 6];
const each = fed(['B=2', 'S=3'], 0, 1, 2, 4, 5, 1);

describeDecompositions('rotary positions', rotaryDecompositions, {
  'com.microsoft.RotaryEmbedding': {
    'positions of each token': decomposed({ x: flat, positions: each, ...caches }),
    'heads in front': decomposed({ x: apart, positions: each, ...caches }),
    'from a first position': decomposed({ x: flat, positions: fed([1], 2), ...caches }),
    'heads in front, from a first position': decomposed({ x: apart, positions: fed([1], 2), ...caches }),
    neighbours: decomposed({ x: flat, positions: each, ...caches }, { interleaved: 1 }),
    'neighbours, heads in front': decomposed({ x: apart, positions: each, ...caches }, { interleaved: 1 }),
    'part of a head': decomposed(
      { x: ['B=2', 'S=3', 16], positions: each, ...caches },
      { num_heads: 2, rotary_embedding_dim: 6 },
    ),
    'part of a head, neighbours': decomposed(
      { x: ['B=2', 2, 'S=3', 8], positions: each, ...caches },
      { num_heads: 2, rotary_embedding_dim: 6, interleaved: 1 },
    ),
    'one token': decomposed({ x: ['B=1', 'S=1', 12], positions: fed(['B=1', 'S=1'], 3), ...caches }),
  },
  RotaryEmbedding: {
    'heads in front': decomposed({ x: apart, ...caches, positions: each }, {}, { opset: 23 }),
    'positions of each token': decomposed(
      { x: flat, ...caches, positions: each },
      { num_heads: 2 },
      { opset: 23 },
    ),
    'angles of each token': decomposed(
      { x: flat, cosine: ['B=2', 'S=3', 3], sine: ['B=2', 'S=3', 3], positions: absent },
      { num_heads: 2, interleaved: 1 },
      { opset: 23 },
    ),
    'part of a head': decomposed(
      { x: ['B=2', 2, 'S=3', 8], ...caches, positions: each },
      { rotary_embedding_dim: 6 },
      { opset: 23 },
    ),
  },
});
