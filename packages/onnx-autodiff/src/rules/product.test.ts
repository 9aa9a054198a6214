import { describe, expect, it } from '@jest/globals';
import { UnsupportedOperatorError } from '../errors.js';
import {
  describeGradients,
  expectGradient,
  floats,
  gradientOf,
  type GradientCase,
} from '../testing/gradient-cases.js';
import { productRules } from './product.js';

const half = { float: 0.5 };
const fused = (
  a: readonly (number | string)[],
  b: readonly (number | string)[],
  transA: number,
  transB: number,
): GradientCase => gradientOf('com.microsoft.FusedMatMul', { a, b }, { transA, transB, alpha: half });

describeGradients('products', productRules, {
  MatMul: {
    matrices: gradientOf('MatMul', { a: [2, 3], b: [3, 4] }),
    'a batch by a shared matrix': gradientOf('MatMul', { a: ['B=2', 'T=3', 4], b: [4, 5] }),
    'a batch of 1 by a shared matrix': gradientOf('MatMul', { a: ['B=1', 3, 4], b: [4, 5] }),
    'a shared matrix by a batch': gradientOf('MatMul', { a: [2, 3], b: ['B=2', 3, 4] }),
    'batch by batch': gradientOf('MatMul', { a: ['B=2', 2, 3, 4], b: ['B=2', 2, 4, 3] }),
    'batch axes broadcast on the right': gradientOf('MatMul', { a: [2, 3, 3, 4], b: [2, 1, 4, 2] }),
    'batch axes broadcast on the left': gradientOf('MatMul', { a: [1, 3, 4], b: [2, 2, 4, 2] }),
    'batch axes broadcast on both sides': gradientOf('MatMul', { a: [2, 1, 3, 4], b: [3, 4, 2] }),
    'extents of 1': gradientOf('MatMul', { a: ['B=2', 1, 1], b: [1, 3] }),
    'by a constant': gradientOf('MatMul', { a: ['B=3', 2], b: floats([2, 2], 1, 2, 3, 4) }),
    'constant by a batch': gradientOf('MatMul', { a: floats([1, 2], 1, 2), b: ['B=2', 2, 3] }),
  },
  'com.microsoft.FusedMatMul': {
    'neither transposed': fused(['B=2', 3, 4], ['B=2', 4, 5], 0, 0),
    'the right one transposed': fused(['B=2', 3, 4], ['B=2', 5, 4], 0, 1),
    'the left one transposed': fused(['B=2', 4, 3], ['B=2', 4, 5], 1, 0),
    'both transposed': fused(['B=2', 4, 3], ['B=2', 5, 4], 1, 1),
    'a shared matrix': fused(['B=2', 3, 4], [4, 5], 0, 0),
    'a shared transposed matrix': fused(['B=2', 3, 4], [5, 4], 0, 1),
    'a transposed batch by a shared matrix': fused([2, 4, 3], [4, 5], 1, 0),
    'a shared matrix by transposed batches': fused([3, 4], [2, 5, 4], 0, 1),
    'batches broadcast, the left one transposed': fused([1, 4, 3], [3, 4, 5], 1, 0),
    'batches broadcast, both transposed': fused([2, 3, 4, 3], [3, 5, 4], 1, 1),
  },
  Gemm: {
    'no bias': gradientOf('Gemm', { a: ['B=2', 3], b: [3, 4] }),
    'a bias vector, alpha and beta': gradientOf(
      'Gemm',
      { a: ['B=3', 3], b: [3, 4], c: [4] },
      { alpha: half, beta: { float: 2 } },
    ),
    'a bias column': gradientOf('Gemm', { a: [3, 3], b: [3, 4], c: [3, 1] }),
    'a scalar bias': gradientOf('Gemm', { a: [3, 3], b: [3, 4], c: [] }),
    'a full bias': gradientOf('Gemm', { a: [2, 3], b: [3, 4], c: [2, 4] }),
    'the right one transposed': gradientOf('Gemm', { a: ['B=1', 3], b: [4, 3], c: [4] }, { transB: 1 }),
    'the left one transposed': gradientOf('Gemm', { a: [3, 2], b: [3, 4], c: [4] }, { transA: 1 }),
    'both transposed': gradientOf('Gemm', { a: [3, 2], b: [4, 3] }, { transA: 1, transB: 1, alpha: half }),
    'constant weight and bias': gradientOf('Gemm', {
      a: ['B=2', 2],
      b: floats([2, 2], 1, 2, 3, 4),
      c: floats([2], 5, 6),
    }),
  },
});

describe('products without a gradient', () => {
  it('refuses vectors', async () => {
    const checked = gradientOf('MatMul', { a: [2, 3], b: [3] });
    await expect(expectGradient(checked)).rejects.toThrow(UnsupportedOperatorError);
  });
});
