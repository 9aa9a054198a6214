import { decomposed, describeDecompositions } from '../testing/decomposition-cases.js';
import { productDecompositions } from './product.js';

const single = { precision: 'single' } as const;
const batched = { transBatchA: 1, transBatchB: 0 };

describeDecompositions('products', productDecompositions, {
  'com.microsoft.FusedMatMul': {
    'a batch of the left': decomposed(
      { a: [3, 'B=2', 4], b: ['B=2', 4, 5] },
      { ...batched, alpha: { float: 0.5 } },
    ),
    'a batch of the right': decomposed({ a: ['B=2', 3, 4], b: [4, 'B=2', 5] }, { transBatchB: 1 }),
    'both, two batch axes': decomposed(
      { a: [3, 'B=2', 'N=3', 4], b: [4, 'B=2', 'N=3', 5] },
      { transBatchA: 1, transBatchB: 1 },
    ),
    'transposed too': decomposed(
      { a: [4, 'B=2', 3], b: ['B=2', 5, 4] },
      { transBatchA: 1, transA: 1, transB: 1 },
    ),
  },
  'com.microsoft.TransposeMatMul': {
    'transposed right': decomposed({ a: ['B=2', 3, 4], b: ['B=2', 5, 4] }, { transB: 1 }),
  },
  'com.microsoft.FusedGemm': {
    'then max(0, x)': decomposed({ a: ['B=2', 3], b: [3, 4], c: [4] }, { activation: 'Relu' }),
    'then a leak': decomposed(
      { a: ['B=2', 3], b: [4, 3], c: [4] },
      { transB: 1, alpha: { float: 0.5 }, activation: 'LeakyRelu', activation_alpha: { float: 0.2 } },
    ),
  },
  'com.microsoft.FusedConv': {
    'then max(0, x)': decomposed(
      { x: ['B=2', 2, 4, 4], w: [3, 2, 2, 2], b: [3] },
      { activation: 'Relu', strides: [2, 2] },
      single,
    ),
    'a sum, then a line between 0 and 1': decomposed(
      { x: ['B=2', 2, 4, 4], w: [3, 2, 2, 2], b: [3], z: ['B=2', 3, 2, 2] },
      { activation: 'HardSigmoid', strides: [2, 2] },
      { ...single, attributes: { activation_params: { kind: 'floats', value: [0.05, 0.5] } } },
    ),
  },
});
