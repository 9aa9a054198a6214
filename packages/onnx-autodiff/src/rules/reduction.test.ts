import {
  describeGradients,
  exactly,
  gradientOf,
  ints,
  between,
  type GradientCase,
} from '../testing/gradient-cases.js';
import { reductionRules } from './reduction.js';

/** Axes as an attribute before operator set 18, as an operand since. */
function reductionCases(operator: string, low = -1, high = 1): Record<string, GradientCase> {
  const x = between(low, high, 'B=2', 3, 4);
  const of = (attributes: Parameters<typeof gradientOf>[2]): GradientCase =>
    gradientOf(operator, { x }, attributes);
  return {
    'one axis, kept': of({ axes: [1], keepdims: 1 }),
    'one axis, dropped': of({ axes: [1], keepdims: 0 }),
    'the last axis, kept by default': of({ axes: [-1] }),
    'the batch axis': of({ axes: [0], keepdims: 0 }),
    'two axes in any order': of({ axes: [-1, 1], keepdims: 0 }),
    'all axes': of({ keepdims: 0 }),
    'all axes, kept': of({}),
    'axes as an operand': gradientOf(operator, { x, axes: ints(-1, 0) }, { keepdims: 0 }, { opset: 18 }),
    'all axes of operator set 18': gradientOf(operator, { x }, {}, { opset: 18 }),
    'an axis of extent 1': gradientOf(operator, { x: between(low, high, 'B=1', 1, 3) }, { axes: [1] }),
  };
}

describeGradients('reductions', reductionRules, {
  ReduceSum: {
    'axes as an operand': gradientOf('ReduceSum', { x: ['B=2', 3], axes: ints(1) }, { keepdims: 0 }),
    'two axes, kept': gradientOf('ReduceSum', { x: ['B=2', 3, 4], axes: ints(-1, 0) }, { keepdims: 1 }),
    'all axes': gradientOf('ReduceSum', { x: ['B=1', 3] }, { keepdims: 0 }),
    'no axes, nothing to do': gradientOf(
      'ReduceSum',
      { x: [2, 3], axes: ints() },
      { keepdims: 0, noop_with_empty_axes: 1 },
    ),
    'empty axes are all axes': gradientOf('ReduceSum', { x: [2, 3], axes: ints() }, { keepdims: 0 }),
  },
  ReduceMean: reductionCases('ReduceMean'),
  ReduceSumSquare: reductionCases('ReduceSumSquare'),
  ReduceL2: {
    ...reductionCases('ReduceL2'),
    'a row of zeros': gradientOf('ReduceL2', { x: exactly([2, 2], 0, 0, 3, 4) }, { axes: [1] }),
  },
  ReduceLogSumExp: reductionCases('ReduceLogSumExp'),
  ReduceMax: {
    ...reductionCases('ReduceMax'),
    ties: gradientOf('ReduceMax', { x: exactly([2, 3], 1, 5, 5, 7, 6, 7) }, { axes: [1], keepdims: 0 }),
  },
  ReduceMin: {
    ...reductionCases('ReduceMin'),
    ties: gradientOf('ReduceMin', { x: exactly([2, 3], 1, 1, 5, 7, 6, 6) }, { axes: [-1] }),
  },
});
