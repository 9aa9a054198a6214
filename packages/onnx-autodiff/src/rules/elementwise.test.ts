import { describe, expect, it } from '@jest/globals';
import { UnsupportedOperatorError } from '../errors.js';
import {
  absent,
  expectGradient,
  between,
  describeGradients,
  exactly,
  floats,
  flags,
  gradientOf,
  gradientThrough,
  intTensor,
} from '../testing/gradient-cases.js';
import { DataType } from '../graph/types.js';
import { elementwiseRules } from './elementwise.js';

const matrix = { x: [2, 3] } as const;
const positive = { x: between(0.5, 2, 2, 3) } as const;

describeGradients('arithmetic', elementwiseRules, {
  Add: {
    'equal shapes': gradientOf('Add', { a: [2, 3], b: [2, 3] }),
    'a vector broadcast on the right': gradientOf('Add', { a: ['B=4', 3], b: [3] }),
    'a vector broadcast on the left': gradientOf('Add', { a: [3], b: ['B=1', 3] }),
    'both broadcast': gradientOf('Add', { a: [2, 1, 4], b: [3, 1] }),
    'a scalar': gradientOf('Add', { a: [2, 3], b: [] }),
    'a constant': gradientOf('Add', { a: [2, 1], b: floats([1, 3], 1, 2, 3) }),
    'one tensor twice': gradientThrough(matrix, (emit, x) => emit.add(x, x)),
  },
  Sum: {
    'three terms, two broadcast': gradientOf('Sum', { a: [2, 3], b: [3], c: [2, 1] }),
    'one term': gradientOf('Sum', { a: [2, 3] }),
  },
  Sub: {
    'equal shapes': gradientOf('Sub', { a: [2, 3], b: [2, 3] }),
    'broadcast on the right': gradientOf('Sub', { a: ['B=2', 4, 3], b: [4, 1] }),
    'broadcast on the left': gradientOf('Sub', { a: [1], b: ['B=3', 2] }),
    'one tensor from itself squared': gradientThrough(matrix, (emit, x) => emit.sub(x, emit.mul(x, x))),
  },
  Mul: {
    'equal shapes': gradientOf('Mul', { a: [2, 3], b: [2, 3] }),
    'broadcast on the right': gradientOf('Mul', { a: ['B=1', 4, 3], b: [3] }),
    'broadcast on the left': gradientOf('Mul', { a: [2, 1], b: [3, 1, 5] }),
    'a square': gradientThrough(matrix, (emit, x) => emit.mul(x, x)),
    'a scalar constant': gradientOf('Mul', { a: [2, 3], b: floats([], 0.125) }),
  },
  Div: {
    'equal shapes': gradientOf('Div', { a: [2, 3], b: between(0.5, 2, 2, 3) }),
    'broadcast on the right': gradientOf('Div', { a: ['B=4', 3], b: between(0.5, 2, 3) }),
    'broadcast on the left': gradientOf('Div', { a: [3], b: between(-2, -0.5, 'B=4', 3) }),
    'by a constant': gradientOf('Div', { a: [2, 3], b: floats([], 8) }),
    'by a constant vector': gradientOf('Div', { a: [2, 3], b: floats([3], 8, 2, 3) }),
    'of a constant': gradientOf('Div', { a: floats([], 1), b: between(0.5, 2, 3) }),
  },
  Pow: {
    square: gradientOf('Pow', { ...matrix, p: floats([], 2) }),
    cube: gradientOf('Pow', { ...matrix, p: floats([], 3) }),
    'a fractional exponent': gradientOf('Pow', { ...positive, p: floats([], -0.5) }),
    'exponent 1 at zero': gradientOf('Pow', { x: exactly([3], 0, 1, 2), p: floats([], 1) }),
    'exponent 0 at zero': gradientOf('Pow', { x: exactly([3], 0, 1, 2), p: floats([], 0) }),
    'an int64 exponent': gradientOf('Pow', { ...matrix, p: intTensor([], 4) }),
    'int64 exponents': gradientOf('Pow', { ...matrix, p: intTensor([3], 1, 2, 4) }),
    'constant exponents': gradientOf('Pow', { ...positive, p: floats([3], 2, 0.5, -1) }),
    'a variable exponent': gradientOf('Pow', { ...positive, p: between(0.5, 3, 2, 3) }),
    'a broadcast variable exponent': gradientOf('Pow', { ...positive, p: between(0.5, 3, 3) }),
    'a broadcast base': gradientOf('Pow', { a: between(0.5, 2), p: [2, 3] }),
    'a variable exponent of zero': gradientOf('Pow', { x: floats([2], 0, 2), p: between(2, 3, 2) }),
  },
  Sqrt: { positive: gradientOf('Sqrt', positive) },
  Reciprocal: {
    positive: gradientOf('Reciprocal', positive),
    negative: gradientOf('Reciprocal', { x: between(-2, -0.5, 'B=1', 3) }),
  },
  Exp: { 'a matrix': gradientOf('Exp', matrix) },
  Log: { positive: gradientOf('Log', positive) },
  Neg: { 'a matrix': gradientOf('Neg', matrix) },
  Abs: { 'both signs': gradientOf('Abs', matrix), 'at zero': gradientOf('Abs', { x: exactly([2], 0, 1) }) },
  Sin: { 'a matrix': gradientOf('Sin', { x: between(-3, 3, 2, 3) }) },
  Cos: { 'a matrix': gradientOf('Cos', { x: between(-3, 3, 2, 3) }) },
  Clip: {
    'both bounds': gradientOf('Clip', { x: [3, 5], low: floats([], -0.5), high: floats([], 0.5) }),
    'a lower bound': gradientOf('Clip', { x: [3, 5], low: floats([], -0.25) }),
    'an upper bound': gradientOf('Clip', { x: [3, 5], low: absent, high: floats([], 0.25) }),
    'no bound': gradientOf('Clip', { x: [3, 5] }),
  },
  Min: {
    'two matrices': gradientOf('Min', { a: [3, 4], b: [3, 4] }),
    'broadcast and a constant': gradientOf('Min', { a: ['B=3', 4], b: [4], c: floats([], 0.2) }),
    ties: gradientOf('Min', { a: exactly([3], 1, 2, 3), b: exactly([3], 1, 3, 2) }),
    'one tensor twice': gradientThrough(matrix, (emit, x) => emit.op('Min', [x, x])),
  },
  Max: {
    'two matrices': gradientOf('Max', { a: [3, 4], b: [3, 4] }),
    'broadcast on the left': gradientOf('Max', { a: [4], b: ['B=1', 2, 4] }),
    'a lower bound': gradientOf('Max', { a: [3, 4], b: floats([], 0) }),
    ties: gradientOf('Max', { a: exactly([3], 1, 2, 3), b: exactly([1], 2) }),
    'one tensor three times': gradientThrough(matrix, (emit, x) => emit.op('Max', [x, x, x])),
    'one operand': gradientOf('Max', { a: [3, 4] }),
  },
  Where: {
    'equal shapes': gradientOf('Where', { c: flags([2, 2], 1, 0, 0, 1), a: [2, 2], b: [2, 2] }),
    'a broadcast condition': gradientOf('Where', { c: flags([1, 2], 1, 0), a: ['B=3', 2], b: [2] }),
    'broadcast branches': gradientOf('Where', { c: flags([3, 2], 1, 0, 0, 1, 1, 1), a: [2], b: [] }),
    'a constant branch': gradientOf('Where', { c: flags([2], 1, 0), a: floats([], -3), b: [2, 2] }),
    'a computed condition': gradientThrough({ a: [4, 3] }, (emit, a) =>
      emit.op('Where', [emit.op('Greater', [a, emit.float(0)]), emit.mul(a, a), emit.neg(a)]),
    ),
  },
  Cast: {
    // A cast to the type that is there would be removed; of this operator's output the graph does not say the type.
    'to float32': gradientThrough(matrix, (emit, x) =>
      emit.cast(emit.op('ReduceSumSquare', [x], { axes: [1] }), DataType.float32),
    ),
    'to int64 and back ends the gradient': gradientThrough(matrix, (emit, x) =>
      emit.add(
        emit.cast(x, DataType.float32),
        emit.cast(emit.cast(emit.scale(x, 1e-3), DataType.int64), DataType.float32),
      ),
    ),
  },
  Identity: { 'a graph output': gradientOf('Identity', matrix) },
  Dropout: {
    'at inference': gradientOf('Dropout', { ...matrix, ratio: floats([], 0.5), training: flags([], 0) }),
    'without operands': gradientOf('Dropout', matrix),
  },
});

describe('arithmetic without a gradient', () => {
  it('refuses Dropout in training mode', async () => {
    const checked = gradientOf('Dropout', { ...matrix, ratio: floats([], 0.5), training: flags([], 1) });
    await expect(expectGradient(checked)).rejects.toThrow(UnsupportedOperatorError);
  });
});
