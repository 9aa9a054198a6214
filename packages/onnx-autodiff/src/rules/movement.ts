import { intAttribute, intsAttribute } from '../graph/emitter.js';
import { asInt64, axesUpTo, positiveAxis, type Rule, type RuleContext } from './rule.js';

// The elements stay in order: give g the shape of x.
const sameElements: Rule = ({ x: [x = ''], g, emit }) => [emit.reshape(g, emit.shape(x))];

/** g padded with zeros along one axis; `before` and `after` are int64 [1] tensors. */
export function padAxis(
  { emit }: RuleContext,
  g: string,
  rank: number,
  axis: number,
  before: string,
  after: string,
): string {
  const zeros = (count: number): string[] => (count > 0 ? [emit.ints(...axesUpTo(count).fill(0))] : []);
  const rest = rank - 1 - axis;
  const pads = emit.concat(
    [...zeros(axis), before, ...zeros(rest), ...zeros(axis), after, ...zeros(rest)],
    0,
  );
  return emit.op('Pad', [g, pads]);
}

/**
 * Adds the slices of g along `axis` at `indices` (int64 [k]) into zeros that are `length` (int64 [1]) long along that axis and
 * like g along the others: the gradient of reading slices. Element by element: onnxruntime's ScatterND adds from several threads
 * without a lock, so that slices with one index get lost.
 */
export function scatterAlong(
  { emit }: Pick<RuleContext, 'emit'>,
  g: string,
  rank: number,
  axis: number,
  length: string,
  indices: string,
): string {
  const shape = emit.shape(g);
  const part = (from: number, to: number): string[] =>
    from < to ? [emit.op('Slice', [shape, emit.ints(from), emit.ints(to)])] : [];
  const zeros = emit.op('Expand', [
    emit.float(0),
    emit.concat([...part(0, axis), length, ...part(axis + 1, rank)], 0),
  ]);
  const others = axesUpTo(rank).filter((other) => other !== axis);
  const aligned = others.length > 0 ? emit.unsqueeze(indices, others) : indices;
  const places = emit.op('Expand', [aligned, shape]);
  return emit.op('ScatterElements', [zeros, places, g], { axis, reduction: 'add' });
}

/** Starts, axes and steps of a Slice. Starts are constants or a tensor that the graph computes. */
function sliceParts(context: RuleContext): {
  axes: number[];
  steps: number[];
  starts: readonly number[] | undefined;
} {
  const { graph, x, shapes } = context;
  const rank = shapes.rank(x[0] ?? '');
  const starts = graph.constantValues(x[1] ?? '');
  const count = starts?.length ?? shapes.dims(x[1] ?? '')[0];
  if (count === undefined || count === null) throw context.unsupported('a number of slices that varies');
  const constants = (tensor: string, fallback: (index: number) => number): number[] => {
    if (tensor === '') return axesUpTo(count).map(fallback);
    const values = graph.constantValues(tensor);
    if (!values) throw context.unsupported('axes or steps that are computed in the graph');
    return [...values];
  };
  return {
    starts,
    axes: constants(x[3] ?? '', (index) => index).map((axis) => positiveAxis(axis, rank)),
    steps: constants(x[4] ?? '', () => 1),
  };
}

/** Operators that move elements without computing. */
export const movementRules = {
  // y = xᵖ  ⇒  dx = g with the inverse permutation
  Transpose: ({ x: [x = ''], g, emit, node, shapes }) => {
    const perm = intsAttribute(node, 'perm') ?? axesUpTo(shapes.rank(x)).reverse();
    const inverse: number[] = [];
    perm.forEach((from, to) => (inverse[from] = to));
    return [emit.transpose(g, inverse)];
  },
  Reshape: sameElements,
  Flatten: sameElements,
  Squeeze: sameElements,
  Unsqueeze: sameElements,
  // y = x broadcast  ⇒  dx = Σ g over what was broadcast
  Expand: ({ x: [x = ''], y, g, sumTo }) => [sumTo(g, y, x), undefined],

  // y = x … b …  ⇒  each input gets its slice of g
  Concat: ({ x, y, g, emit, node, shapes, wanted }) => {
    const axis = positiveAxis(intAttribute(node, 'axis', 0), shapes.rank(y));
    let known: number | undefined = 0;
    let start = emit.ints(0);
    return x.map((input, index) => {
      const extent = shapes.dims(input)[axis] ?? null;
      known = known === undefined || extent === null ? undefined : known + extent;
      const end = known === undefined ? emit.add(start, emit.extents(input, axis)) : emit.ints(known);
      const slice = wanted[index] ? emit.op('Slice', [g, start, end, emit.ints(axis)]) : undefined;
      start = end;
      return slice;
    });
  },

  // y₁, y₂, … = parts of x  ⇒  dx = g₁ g₂ … joined, zeros where a part is unused
  Split: ({ x: [x = ''], gradients, emit, node, shapes }) => {
    const axis = positiveAxis(intAttribute(node, 'axis', 0), shapes.rank(x));
    const parts = node.outputs.map((output, index) => gradients[index] ?? emit.zerosLike(output));
    return [emit.concat(parts, axis), undefined];
  },

  // y = x[start : end : step]  ⇒  dx = g with zeros around and between, one axis after another
  Slice: (context) => {
    const { x, y, emit, shapes } = context;
    const [input = '', starts = '', ends = '', , steps = ''] = x;
    const rank = shapes.rank(input);
    const parts = sliceParts(context);
    const part = (tensor: string, index: number): string =>
      emit.op('Slice', [asInt64(context, tensor), emit.ints(index), emit.ints(index + 1), emit.ints(0)]);
    let gradient = context.g;
    parts.axes.forEach((axis, index) => {
      const length = emit.extents(input, axis);
      if (parts.steps[index] !== 1) {
        const positions = emit.op('Range', [emit.int(0), emit.squeeze(length, [0]), emit.int(1)]);
        const bounds = [part(starts, index), part(ends, index), emit.ints(0), part(steps, index)];
        const taken = emit.op('Slice', [positions, ...bounds]);
        gradient = scatterAlong(context, gradient, rank, axis, length, taken);
        return;
      }
      const raw = parts.starts === undefined ? part(starts, index) : emit.ints(parts.starts[index] ?? 0);
      const fromFront = emit.op('Where', [emit.op('Less', [raw, emit.ints(0)]), emit.add(raw, length), raw]);
      const before = emit.op('Max', [emit.op('Min', [fromFront, length]), emit.ints(0)]);
      const after = emit.sub(emit.sub(length, before), emit.extents(y, axis));
      gradient = padAxis(context, gradient, rank, axis, before, after);
    });
    return [gradient];
  },

  // y = x with a border  ⇒  dx = g without it, which is g padded by the negative widths
  Pad: (context) => {
    const { x, g, emit, node } = context;
    const mode = node.attributes.get('mode');
    if (mode?.kind === 'string' && mode.value !== 'constant') {
      throw context.unsupported(`Pad in mode ${mode.value}`);
    }
    const [, pads = '', , axes = ''] = x;
    return [emit.op('Pad', axes === '' ? [g, emit.neg(pads)] : [g, emit.neg(pads), '', axes])];
  },

  // y = x repeated  ⇒  dx = Σ g over the repetitions
  Tile: (context) => {
    const { x, g, emit, shapes } = context;
    const [input = '', repeats = ''] = x;
    const rank = shapes.rank(input);
    const interleaved = emit.reshape(
      emit.concat([emit.unsqueeze(repeats, [1]), emit.unsqueeze(emit.shape(input), [1])], 1),
      emit.ints(-1),
    );
    return [
      emit.reduceSum(
        emit.reshape(g, interleaved),
        axesUpTo(rank).map((axis) => 2 * axis),
        0,
      ),
    ];
  },
} as const satisfies Record<string, Rule>;
