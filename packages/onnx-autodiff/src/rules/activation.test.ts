import {
  between,
  describeGradients,
  exactly,
  gradientOf,
  gradientThrough,
} from '../testing/gradient-cases.js';
import { erf, gelu, sigmoid, tanhGelu } from '../testing/special-functions.js';
import { activationRules } from './activation.js';

const x = between(-2, 2, 'B=2', 5);
const scalarFunction = (f: (value: number) => number) => ({ scalarFunction: f });

describeGradients('activations', activationRules, {
  Erf: { 'both signs': gradientOf('Erf', { x }, {}, scalarFunction(erf)) },
  Tanh: { 'both signs': gradientOf('Tanh', { x }) },
  Sigmoid: { 'both signs': gradientOf('Sigmoid', { x }) },
  Relu: {
    'both signs': gradientOf('Relu', { x }),
    'one element': gradientOf('Relu', { x: exactly([], -0.5) }),
  },
  Softplus: {
    'both signs': gradientOf(
      'Softplus',
      { x },
      {},
      scalarFunction((v) => Math.log1p(Math.exp(v))),
    ),
  },
  LeakyRelu: {
    'default slope': gradientOf(
      'LeakyRelu',
      { x },
      {},
      scalarFunction((v) => (v < 0 ? 0.01 * v : v)),
    ),
    'slope 0.25': gradientOf(
      'LeakyRelu',
      { x },
      { alpha: { float: 0.25 } },
      scalarFunction((v) => (v < 0 ? v / 4 : v)),
    ),
  },
  Gelu: {
    exact: gradientOf('Gelu', { x }, {}, { opset: 20, scalarFunction: gelu }),
    'exact by name': gradientOf('Gelu', { x }, { approximate: 'none' }, { opset: 20, scalarFunction: gelu }),
    'by tanh': gradientOf('Gelu', { x }, { approximate: 'tanh' }, { opset: 20, scalarFunction: tanhGelu }),
  },
  'com.microsoft.Gelu': {
    'both signs': gradientOf('com.microsoft.Gelu', { x }, {}, scalarFunction(gelu)),
  },
  'com.microsoft.FastGelu': {
    'both signs': gradientOf('com.microsoft.FastGelu', { x }, {}, scalarFunction(tanhGelu)),
  },
  'com.microsoft.QuickGelu': {
    'default slope': gradientOf(
      'com.microsoft.QuickGelu',
      { x },
      {},
      scalarFunction((v) => v * sigmoid(1.702 * v)),
    ),
    'slope 1 is SiLU': gradientOf(
      'com.microsoft.QuickGelu',
      { x },
      { alpha: { float: 1 } },
      scalarFunction((v) => v * sigmoid(v)),
    ),
  },
  Softmax: {
    'the last axis': gradientOf('Softmax', { x }),
    'the first axis': gradientOf('Softmax', { x: ['B=3', 4] }, { axis: 0 }),
    'a middle axis, counted from the end': gradientOf('Softmax', { x: ['B=1', 4, 3] }, { axis: -2 }),
    'weights of values': gradientThrough({ s: ['B=2', 3, 4], v: ['B=2', 4, 5] }, (emit, s, v) =>
      emit.op('MatMul', [emit.op('Softmax', [s], { axis: -1 }), v]),
    ),
    'weights of values, scaled': gradientThrough({ s: ['B=2', 3, 4], v: ['B=2', 4, 5] }, (emit, s, v) =>
      emit.fusedMatMul(emit.op('Softmax', [s], { axis: 2 }), v, 0, 0, 0.5),
    ),
    'weights that batches of values share': gradientThrough({ s: [1, 3, 4], v: [2, 4, 5] }, (emit, s, v) =>
      emit.op('MatMul', [emit.op('Softmax', [s], { axis: -1 }), v]),
    ),
    'weights read twice': gradientThrough({ s: [2, 3, 4], v: [2, 4, 5] }, (emit, s, v) => {
      const weights = emit.op('Softmax', [s], { axis: -1 });
      return emit.concat([emit.op('MatMul', [weights, v]), emit.mul(weights, weights)], 2);
    }),
    'weights over the other axis': gradientThrough({ s: [2, 3, 4], v: [2, 4, 5] }, (emit, s, v) =>
      emit.op('MatMul', [emit.op('Softmax', [s], { axis: 1 }), v]),
    ),
    'into Gemm with a bias': gradientThrough({ s: [3, 4], w: [4, 5], c: [5] }, (emit, s, w, c) =>
      emit.op('Gemm', [emit.op('Softmax', [s], { axis: -1 }), w, c]),
    ),
  },
  LogSoftmax: {
    'the last axis': gradientOf('LogSoftmax', { x }),
    'the first axis': gradientOf('LogSoftmax', { x: ['B=3', 4] }, { axis: 0 }),
    'a middle axis': gradientOf('LogSoftmax', { x: [2, 4, 3] }, { axis: 1 }),
  },
});
