import {
  between,
  describeGradients,
  floats,
  gradientOf,
  gradientThrough,
} from '../testing/gradient-cases.js';
import { normalizationRules } from './normalization.js';

const gamma = between(0.5, 1.5, 4);
const epsilon = { float: 1e-3 };

describeGradients('normalisations', normalizationRules, {
  LayerNormalization: {
    'x, gamma and beta': gradientOf(
      'LayerNormalization',
      { x: ['B=2', 3, 4], gamma, beta: [4] },
      { epsilon },
    ),
    'without beta': gradientOf('LayerNormalization', { x: ['B=1', 4], gamma }),
    'constant gamma': gradientOf('LayerNormalization', { x: [2, 4], gamma: floats([4], 1, 2, 3, -1) }),
    'the last two axes': gradientOf(
      'LayerNormalization',
      { x: ['B=2', 3, 4], gamma: between(0.5, 1.5, 3, 4), beta: [3, 4] },
      { axis: 1 },
    ),
    'two axes counted from the end': gradientOf(
      'LayerNormalization',
      { x: ['B=2', 3, 4], gamma: between(0.5, 1.5, 3, 4), beta: [3, 4] },
      { axis: -2 },
    ),
    'operator set 18': gradientOf(
      'LayerNormalization',
      { x: ['B=2', 4], gamma, beta: [4] },
      {},
      { opset: 18 },
    ),
    'one after another': gradientThrough({ x: [3, 4], gamma }, (emit, x, g) => {
      const first = emit.op('LayerNormalization', [x, g]);
      return emit.op('LayerNormalization', [emit.add(x, first), g]);
    }),
  },
  SimplifiedLayerNormalization: {
    'x and gamma': gradientOf('SimplifiedLayerNormalization', { x: ['B=2', 3, 4], gamma }, { epsilon }),
    'one row': gradientOf('SimplifiedLayerNormalization', { x: [1, 4], gamma }, { axis: 1, epsilon }),
    'constant gamma': gradientOf(
      'SimplifiedLayerNormalization',
      { x: [2, 4], gamma: floats([4], 1, 2, 3, -1) },
      { epsilon },
    ),
  },
});
