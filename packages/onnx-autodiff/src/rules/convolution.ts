import { intAttribute, intsAttribute, type AttributeValue } from '../graph/emitter.js';
import { axesUpTo, type Rule, type RuleContext } from './rule.js';

interface Window {
  /** Number of spatial axes. */
  readonly spatial: number;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding at the start of every spatial axis, then at the end. */
  readonly pads: readonly number[];
  readonly group: number;
}

function windowOf(context: RuleContext): Window {
  const { node, shapes, x } = context;
  const mode = node.attributes.get('auto_pad');
  if (mode?.kind === 'string' && !['NOTSET', 'VALID'].includes(mode.value)) {
    throw context.unsupported(`padding by auto_pad ${mode.value}`);
  }
  const spatial = shapes.rank(x[0] ?? '') - 2;
  const all = (value: number, count: number): number[] => axesUpTo(count).fill(value);
  return {
    spatial,
    strides: intsAttribute(node, 'strides') ?? all(1, spatial),
    dilations: intsAttribute(node, 'dilations') ?? all(1, spatial),
    pads: intsAttribute(node, 'pads') ?? all(0, 2 * spatial),
    group: intAttribute(node, 'group', 1),
  };
}

/** y = Σ x[o · stride + k · dilation − pad] w[k]  ⇒  dx = g spread over the window: a transposed convolution without padding,
 * cropped at the padding and extended by the rows that no window reached. */
function inputGradient({ emit, x, g }: RuleContext, window: Window): string {
  const [input = '', weight = ''] = x;
  const { strides, dilations, group, pads, spatial } = window;
  const values: Record<string, AttributeValue> = { strides, dilations, group };
  const full = emit.op('ConvTranspose', [g, weight], values);
  const axes = axesUpTo(spatial).map((axis) => axis + 2);
  const start = pads.slice(0, spatial);
  const missing = emit.sub(emit.extents(input, ...axes), emit.extents(full, ...axes));
  const after = emit.add(missing, emit.ints(...start));
  const before = emit.ints(0, 0, ...start.map((pad) => -pad), 0, 0);
  return emit.op('Pad', [full, emit.concat([before, after], 0)]);
}

/** dw[k] = Σ x[o · stride + k · dilation − pad] g[o]: a convolution over x with g as weights, strides and dilations exchanged. */
function weightGradient(context: RuleContext, window: Window): string {
  const { emit, x, g, shapes } = context;
  const [input = '', weight = ''] = x;
  if (window.group !== 1) throw context.unsupported('the weights of a convolution in groups');
  const swapped = axesUpTo(shapes.rank(input));
  [swapped[0], swapped[1]] = [1, 0];
  const values = { strides: window.dilations, dilations: window.strides, pads: window.pads };
  const product = emit.op('Conv', [emit.transpose(input, swapped), emit.transpose(g, swapped)], values);
  const axes = axesUpTo(window.spatial).map((axis) => axis + 2);
  // Rows behind the last whole window give taps that the weights do not have.
  const taps = [emit.ints(...axes.map(() => 0)), emit.extents(weight, ...axes), emit.ints(...axes)];
  return emit.transpose(emit.op('Slice', [product, ...taps]), swapped);
}

/** Convolutions [B, C, …spatial]: patch embeddings, and those over a sequence. */
export const convolutionRules = {
  Conv: (context) => {
    const { emit, g, wanted, shapes, x } = context;
    const window = windowOf(context);
    const others = axesUpTo(shapes.rank(x[0] ?? '')).filter((axis) => axis !== 1);
    return [
      wanted[0] ? inputGradient(context, window) : undefined,
      wanted[1] ? weightGradient(context, window) : undefined,
      wanted[2] ? emit.reduceSum(g, others, 0) : undefined,
    ];
  },
} as const satisfies Record<string, Rule>;
