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
  // y = x[tuples of indices]  ⇒  dx[tuples] += g
  GatherND: (context) => {
    const { x, g, emit, node } = context;
    const [input = '', indices = ''] = x;
    const batchAxes = intAttribute(node, 'batch_dims', 0);
    if (batchAxes > 1) throw context.unsupported('GatherND over more than one batch axis');
    if (batchAxes === 0) {
      return [emit.op('ScatterND', [emit.zerosLike(input), indices, g], { reduction: 'add' }), undefined];
    }
    // Prepend the batch number to every tuple.
    const batch = emit.op('Range', [emit.int(0), emit.squeeze(emit.extents(input, 0), [0]), emit.int(1)]);
    const rank = context.shapes.rank(indices);
    const column = emit.unsqueeze(batch, axesUpTo(rank).slice(1));
    const leading = emit.op('Slice', [emit.shape(indices), emit.ints(0), emit.ints(rank - 1)]);
    const target = emit.concat([leading, emit.ints(1)], 0);
    const tuples = emit.concat([emit.op('Expand', [column, target]), indices], rank - 1);
    return [emit.op('ScatterND', [emit.zerosLike(input), tuples, g], { reduction: 'add' }), undefined];
  },
} as const satisfies Record<string, Rule>;
