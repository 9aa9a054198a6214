import { describe, expect, it } from '@jest/globals';
import { UnsupportedOperatorError } from '../errors.js';
import {
  absent,
  describeGradients,
  expectGradient,
  fed,
  floats,
  gradientOf,
  gradientThrough,
  ints,
  shortTensor,
} from '../testing/gradient-cases.js';
import { movementRules } from './movement.js';

const cube = { x: ['B=2', 4, 5] } as const;
const largest = 2 ** 63;

describeGradients('movements', movementRules, {
  Transpose: {
    'a permutation': gradientOf('Transpose', { x: ['B=2', 3, 4] }, { perm: [2, 0, 1] }),
    'reversed by default': gradientOf('Transpose', { x: ['B=2', 3, 4] }),
  },
  Reshape: {
    'a constant shape': gradientOf('Reshape', { x: [2, 6], shape: ints(3, 4) }),
    'an inferred extent': gradientOf('Reshape', { x: ['B=2', 6], shape: ints(0, -1, 3) }),
    'a computed shape': gradientThrough({ x: [2, 6], like: [3, 4] }, (emit, x, like) =>
      emit.add(like, emit.reshape(x, emit.shape(like))),
    ),
  },
  Flatten: {
    'the default axis': gradientOf('Flatten', cube),
    'all in one row': gradientOf('Flatten', cube, { axis: 0 }),
    'counted from the end': gradientOf('Flatten', cube, { axis: -1 }),
  },
  Squeeze: {
    'named axes': gradientOf('Squeeze', { x: ['B=2', 1, 3, 1], axes: ints(1, -1) }),
    'all of extent 1': gradientOf('Squeeze', { x: [2, 1, 3] }),
  },
  Unsqueeze: { 'two axes': gradientOf('Unsqueeze', { x: ['B=2', 3], axes: ints(-1, 0) }) },
  Expand: {
    'an axis of 1': gradientOf('Expand', { x: [2, 1, 3], shape: ints(2, 4, 3) }),
    'new axes': gradientOf('Expand', { x: [3], shape: ints(2, 4, 3) }),
    'a shape with ones': gradientOf('Expand', { x: ['B=2', 1, 3], shape: ints(1, 4, 1) }),
    'a scalar': gradientOf('Expand', { x: [], shape: ints(2, 2) }),
  },
  Concat: {
    'the last axis': gradientOf('Concat', { a: ['B=2', 3], b: ['B=2', 1] }, { axis: -1 }),
    'three parts, one constant': gradientOf(
      'Concat',
      { a: [1, 2], b: floats([2, 2], 1, 2, 3, 4), c: [3, 2] },
      { axis: 0 },
    ),
    'extents that vary': gradientOf(
      'Concat',
      { a: ['B=2', 'P=3', 2], b: ['B=2', 'T=4', 2], c: ['B=2', 1, 2] },
      { axis: 1 },
    ),
    'one tensor twice': gradientThrough({ x: [2, 3] }, (emit, x) => emit.concat([x, x], 1)),
    'one part': gradientOf('Concat', { a: [2, 3] }, { axis: 1 }),
  },
  Split: {
    'all parts': gradientThrough({ x: ['B=2', 6] }, (emit, x) => {
      const [a = '', b = '', c = ''] = emit.node(
        'Split',
        [x, emit.ints(1, 2, 3)],
        { axis: 1 },
        { outputs: 3 },
      );
      return emit.concat([c, emit.mul(a, a), b], 1);
    }),
    'an unused part': gradientThrough({ x: ['B=2', 6] }, (emit, x) => {
      const parts = emit.node('Split', [x, emit.ints(1, 2, 3)], { axis: -1 }, { outputs: 3 });
      return emit.op('Tanh', [parts[1] ?? '']);
    }),
    'the first part unused': gradientThrough({ x: [4, 2] }, (emit, x) => {
      const parts = emit.node('Split', [x], {}, { outputs: 2 });
      return emit.op('Exp', [parts[1] ?? '']);
    }),
    'equal parts of operator set 18': gradientThrough(
      { x: [5, 2] },
      (emit, x) => {
        const parts = emit.node('Split', [x], { num_outputs: 2 }, { outputs: 2 });
        return emit.op('Exp', [parts[1] ?? '']);
      },
      { opset: 18 },
    ),
  },
  Slice: {
    'one axis': gradientOf('Slice', { ...cube, starts: ints(1), ends: ints(3), axes: ints(1) }),
    'negative bounds': gradientOf('Slice', { ...cube, starts: ints(-3), ends: ints(-1), axes: ints(-1) }),
    'two axes': gradientOf('Slice', {
      ...cube,
      starts: ints(1, -4),
      ends: ints(3, largest),
      axes: ints(1, 2),
    }),
    'axes by default': gradientOf('Slice', { ...cube, starts: ints(0, 2), ends: ints(1, largest) }),
    'bounds outside': gradientOf('Slice', { ...cube, starts: ints(-99), ends: ints(99), axes: ints(1) }),
    'an empty slice': gradientThrough(cube, (emit, x) => {
      const empty = emit.op('Slice', [x, emit.ints(largest), emit.ints(largest), emit.ints(1)]);
      return emit.concat([x, empty], 1);
    }),
    'a step': gradientOf('Slice', {
      ...cube,
      starts: ints(0),
      ends: ints(largest),
      axes: ints(2),
      steps: ints(2),
    }),
    backwards: gradientOf('Slice', {
      ...cube,
      starts: ints(-1),
      ends: ints(-largest),
      axes: ints(1),
      steps: ints(-1),
    }),
    'backwards with a step': gradientOf('Slice', {
      ...cube,
      starts: ints(4),
      ends: ints(0),
      axes: ints(2),
      steps: ints(-2),
    }),
    'steps on two axes': gradientOf('Slice', {
      ...cube,
      starts: ints(1, -1),
      ends: ints(4, -6),
      axes: ints(1, 2),
      steps: ints(2, -2),
    }),
    'a step beside a range': gradientOf('Slice', {
      ...cube,
      starts: ints(1, 0),
      ends: ints(3, 5),
      axes: ints(1, 2),
      steps: ints(1, 3),
    }),
    'computed bounds': gradientOf('Slice', {
      ...cube,
      starts: fed([1], 1),
      ends: fed([1], 3),
      axes: ints(1),
    }),
    'a computed negative start': gradientOf('Slice', {
      ...cube,
      starts: fed([1], -2),
      ends: ints(largest),
      axes: ints(1),
      steps: ints(1),
    }),
    'int32 bounds': gradientOf('Slice', {
      ...cube,
      starts: shortTensor([1], 1),
      ends: shortTensor([1], 3),
      axes: shortTensor([1], 1),
    }),
  },
  Pad: {
    'both ends': gradientOf('Pad', { x: ['B=2', 3], pads: ints(0, 1, 0, 2) }),
    'with a value': gradientOf('Pad', { x: [2, 3], pads: ints(1, 0, 0, 0), value: floats([], 7) }),
    'negative pads crop': gradientOf('Pad', { x: [2, 5], pads: ints(0, -1, 1, -2) }),
    'named axes': gradientOf(
      'Pad',
      { x: ['B=2', 3, 4], pads: ints(1, 2), value: absent, axes: ints(-2) },
      {},
      { opset: 18 },
    ),
    'computed pads': gradientOf('Pad', { x: [2, 3], pads: fed([4], 0, 1, 0, 2) }, { mode: 'constant' }),
  },
  Tile: {
    'two axes': gradientOf('Tile', { x: ['B=2', 3], repeats: ints(2, 3) }),
    'computed repeats': gradientOf('Tile', { x: [2, 1, 3], repeats: fed([3], 1, 4, 1) }),
  },
});

describe('movements without a gradient', () => {
  it.each([
    ['Pad by reflection', gradientOf('Pad', { x: [2, 4], pads: ints(0, 1, 0, 1) }, { mode: 'reflect' })],
    [
      'Slice along computed axes',
      gradientOf('Slice', { ...cube, starts: ints(1), ends: ints(2), axes: fed([1], 1) }),
    ],
    ['padding with a variable', gradientOf('Pad', { x: [2], pads: ints(1, 1), value: [] })],
  ])('refuses %s', async (_name, checked) => {
    await expect(expectGradient(checked)).rejects.toThrow(UnsupportedOperatorError);
  });
});
