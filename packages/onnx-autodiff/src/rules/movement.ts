import { intAttribute, intsAttribute } from '../graph/emitter.js';
import { axesUpTo, positiveAxis, type Rule, type RuleContext } from './rule.js';

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
 * Adds the slices of g along `axis` into zeros of the shape of x at `indices` (int64 [k]): the gradient of reading slices.
 */
export function scatterAlong(
  { emit, shapes }: RuleContext,
  g: string,
  x: string,
  axis: number,
  indices: string,
): string {
  const rank = shapes.rank(x);
  const swap = axesUpTo(rank);
  [swap[0], swap[axis]] = [axis, 0];
  const front = (tensor: string): string => (axis === 0 ? tensor : emit.transpose(tensor, swap));
  const zeros = front(emit.zerosLike(x));
  const scattered = emit.op('ScatterND', [zeros, emit.unsqueeze(indices, [-1]), front(g)], {
    reduction: 'add',
  });
  return front(scattered);
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

  // y = x[start : end : step]  ⇒  dx = g with zeros around it
  Slice: (context) => {
    const { x, y, emit, shapes } = context;
    const [input = '', starts = ''] = x;
    const rank = shapes.rank(input);
    const parts = sliceParts(context);
    let gradient = context.g;
    parts.axes.forEach((axis, index) => {
      const length = emit.extents(input, axis);
      if (parts.steps[index] !== 1) {
        if (parts.axes.length > 1) throw context.unsupported('steps on several axes at once');
        const positions = emit.op('Range', [emit.int(0), emit.squeeze(length, [0]), emit.int(1)]);
        const [, , ends = '', , steps = ''] = x;
        const taken = emit.op('Slice', [positions, starts, ends, emit.ints(0), steps]);
        gradient = scatterAlong(context, gradient, input, axis, taken);
        return;
      }
      const raw =
        parts.starts === undefined
          ? emit.op('Slice', [starts, emit.ints(index), emit.ints(index + 1), emit.ints(0)])
          : emit.ints(parts.starts[index] ?? 0);
      const fromFront = emit.op('Where', [emit.op('Less', [raw, emit.ints(0)]), emit.add(raw, length), raw]);
      const before = emit.op('Max', [emit.op('Min', [fromFront, length]), emit.ints(0)]);
      const after = emit.sub(emit.sub(length, before), emit.extents(y, axis));
      gradient = padAxis(context, gradient, rank, axis, before, after);
    });
    return [gradient];
  },

  // y = x with a border  ⇒  dx = the inside of g
  Pad: (context) => {
    const { x, g, emit, graph, node, shapes } = context;
    const mode = node.attributes.get('mode');
    const pads = graph.constantValues(x[1] ?? '');
    if (!pads || (mode?.kind === 'string' && mode.value !== 'constant')) {
      throw context.unsupported('Pad with computed extents or a mode other than constant');
    }
    const [input = ''] = x;
    const axes = axesUpTo(shapes.rank(input));
    const start = emit.ints(...axes.map((axis) => pads[axis] ?? 0));
    return [emit.op('Slice', [g, start, emit.add(start, emit.shape(input)), emit.ints(...axes)])];
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
