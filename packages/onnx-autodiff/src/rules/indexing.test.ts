import {
  describeGradients,
  fed,
  gradientOf,
  gradientThrough,
  intTensor,
  shortTensor,
} from '../testing/gradient-cases.js';
import { indexingRules } from './indexing.js';

const cube = { x: ['B=2', 3, 4] } as const;
const repeated = intTensor([2, 3], 2, 0, 2, -1, 1, 2);

describeGradients('indexing', indexingRules, {
  Gather: {
    'the first row': gradientOf('Gather', { ...cube, indices: intTensor([], 0) }, { axis: 1 }),
    'the last row': gradientOf('Gather', { ...cube, indices: intTensor([], -1) }, { axis: 1 }),
    'a row of the batch': gradientOf('Gather', { ...cube, indices: intTensor([], 1) }),
    'a column': gradientOf('Gather', { ...cube, indices: intTensor([], 2) }, { axis: -1 }),
    'a scalar that the graph gets': gradientOf('Gather', { ...cube, indices: fed([], -2) }, { axis: 1 }),
    'repeated indices': gradientOf('Gather', { x: [4, 3], indices: intTensor([4], 2, 0, 2, -4) }),
    'a matrix of indices, axis 0': gradientOf('Gather', { x: [3, 4], indices: repeated }),
    'a matrix of indices, axis 1': gradientOf('Gather', { ...cube, indices: repeated }, { axis: 1 }),
    'a matrix of indices, the last axis': gradientOf('Gather', { ...cube, indices: repeated }, { axis: -1 }),
    'a vector': gradientOf('Gather', { x: [3], indices: repeated }),
    'int32 indices': gradientOf('Gather', { x: [4, 3], indices: shortTensor([3], 2, -1, 2) }),
    'an int32 scalar': gradientOf('Gather', { x: [4, 3], indices: shortTensor([], -1) }),
    'indices that the graph gets': gradientOf('Gather', { x: [4, 3], indices: fed([2, 2], 3, 0, 3, -1) }),
  },
  GatherElements: {
    'the first axis': gradientOf('GatherElements', { x: [3, 2], indices: intTensor([2, 2], 0, 2, 0, -1) }),
    'the last axis': gradientOf(
      'GatherElements',
      { x: ['B=2', 3], indices: intTensor([2, 3], 0, 1, 1, -1, 2, 2) },
      { axis: -1 },
    ),
    'int32 indices': gradientOf(
      'GatherElements',
      { x: [2, 3], indices: shortTensor([2, 1], 0, -1) },
      { axis: 1 },
    ),
  },
  GatherND: {
    elements: gradientOf('GatherND', { x: [2, 3], indices: intTensor([3, 2], 0, 1, 1, -1, 0, 1) }),
    rows: gradientOf('GatherND', { x: [3, 4], indices: intTensor([2, 2, 1], 0, 2, 2, -1) }),
    'a row a batch': gradientOf(
      'GatherND',
      { x: [2, 3, 4], indices: intTensor([2, 2, 1], 0, 2, 1, 1) },
      { batch_dims: 1 },
    ),
    'one row a batch': gradientOf(
      'GatherND',
      { x: [2, 3, 4], indices: intTensor([2, 1], 2, 0) },
      { batch_dims: 1 },
    ),
    'elements of a batch': gradientOf(
      'GatherND',
      { x: [2, 3, 4], indices: intTensor([2, 2, 2], 0, 1, 2, 3, 1, 1, 1, 1) },
      { batch_dims: 1 },
    ),
    'a row of two batch axes': gradientOf(
      'GatherND',
      { x: [2, 3, 4], indices: intTensor([2, 3, 1], 0, -1, 2, 1, 1, 0) },
      { batch_dims: 2 },
    ),
    'an index computed from the values': gradientThrough({ x: [2, 5] }, (emit, x) => {
      const best = emit.op('ArgMax', [x], { axis: 1, keepdims: 1 });
      return emit.node('GatherND', [x, best], { batch_dims: 1 })[0] ?? '';
    }),
  },
});
