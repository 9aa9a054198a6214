import { intAttribute } from '../graph/emitter.js';
import { padAxis, scatterAlong } from './movement.js';
import { asInt64, axesUpTo, positiveAxis, type Rule } from './rule.js';

/** Operators that read elements by index; their gradients add into zeros. */
export const indexingRules = {
  // y = x[indices] along an axis  ⇒  dx[indices] += g
  Gather: (context) => {
    const { x, g, emit, node, graph, shapes } = context;
    const [input = '', indices = ''] = x;
    const rank = shapes.rank(input);
    const axis = positiveAxis(intAttribute(node, 'axis', 0), rank);
    const single = shapes.rank(indices) === 0 ? graph.scalar(indices) : undefined;
    const length = emit.extents(input, axis);
    if (single !== undefined) {
      const before = single < 0 ? emit.add(length, emit.ints(single)) : emit.ints(single);
      const after = emit.sub(emit.sub(length, before), emit.ints(1));
      return [padAxis(context, emit.unsqueeze(g, [axis]), rank, axis, before, after), undefined];
    }
    // One axis of indices: flatten theirs, in the indices and in g.
    const flat = emit.reshape(asInt64(context, indices), emit.ints(-1));
    const shape = emit.shape(input);
    const outer = axis === 0 ? [] : [emit.op('Slice', [shape, emit.ints(0), emit.ints(axis)])];
    const inner = axis === rank - 1 ? [] : [emit.op('Slice', [shape, emit.ints(axis + 1), emit.ints(rank)])];
    const rows = emit.reshape(g, emit.concat([...outer, emit.op('Shape', [flat]), ...inner], 0));
    const fromFront = emit.op('Where', [emit.op('Less', [flat, emit.int(0)]), emit.add(flat, length), flat]);
    return [scatterAlong(context, rows, rank, axis, length, fromFront), undefined];
  },
  // y = x[…, indices, …] elementwise  ⇒  dx[…, indices, …] += g
  GatherElements: ({ x: [x = '', indices = ''], g, emit, node }) => {
    const axis = intAttribute(node, 'axis', 0);
    return [
      emit.op('ScatterElements', [emit.zerosLike(x), indices, g], { axis, reduction: 'add' }),
      undefined,
    ];
  },
  // y = x[tuples of indices]  ⇒  dx[tuples] += g, tuples counted as rows of x with its leading axes as one
  GatherND: (context) => {
    const { x, g, emit, node, shapes } = context;
    const [input = '', given = ''] = x;
    const indices = asInt64(context, given);
    const batchAxes = intAttribute(node, 'batch_dims', 0);
    const leading = shapes.rank(given) - 1;
    const tuple = shapes.dims(given)[leading];
    if (tuple === null || tuple === undefined) throw context.unsupported('tuples of a length that varies');
    const numbers = axesUpTo(batchAxes + tuple).map((axis): string => {
      const extent = emit.extents(input, axis);
      if (axis < batchAxes) {
        const batch = emit.op('Range', [emit.int(0), emit.squeeze(extent, [0]), emit.int(1)]);
        const others = axesUpTo(leading).filter((other) => other !== axis);
        return others.length > 0 ? emit.unsqueeze(batch, others) : batch;
      }
      const index = emit.op('Gather', [indices, emit.int(axis - batchAxes)], { axis: leading });
      return emit.op('Where', [emit.op('Less', [index, emit.int(0)]), emit.add(index, extent), index]);
    });
    const extents = axesUpTo(batchAxes + tuple).map((axis) => emit.extents(input, axis));
    const row = numbers.reduce((sum, number, axis) => emit.add(emit.mul(sum, extents[axis] ?? ''), number));
    const flat = emit.reshape(row, emit.ints(-1));
    const rows = emit.reshape(g, emit.concat([emit.op('Shape', [flat]), emit.ints(-1)], 0));
    const count = extents.reduce((product, extent) => emit.mul(product, extent));
    return [emit.reshape(scatterAlong(context, rows, 2, 0, count, flat), emit.shape(input)), undefined];
  },
} as const satisfies Record<string, Rule>;
