import { describe, expect, it } from '@jest/globals';
import { StructureNotFoundError } from '../errors.js';
import type { Emitter } from '../graph/emitter.js';
import type { Graph } from '../graph/graph.js';
import { float32, floatsOf } from '../session/tensor-value.js';
import { buildGraph, evaluate, floatInput, relativeError } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { addKeyBias } from './attention.js';
import { weightPooledRows } from './pooled-rows.js';

const [BATCH, ROWS, WIDTH, HEADS] = [2, 5, 4, 2];
const END = Number.MAX_SAFE_INTEGER;

/** A head `y` behind rows of the input `x`. */
function headed(build: (emit: Emitter, hidden: string) => string): Graph {
  return buildGraph((emit) => {
    emit.alias(floatInput(emit, 'x', 'B', 'T', WIDTH), 'hidden');
    emit.output('y', build(emit, 'hidden'));
  });
}

/** Attention by one learned query, in heads of their own axis or folded into the batch. */
function attentionPooling(emit: Emitter, hidden: string, isFolded: boolean): string {
  const size = WIDTH / HEADS;
  const batch = emit.extents(hidden, 0);
  const split = (rows: string, count: string): string => {
    const heads = emit.reshape(rows, emit.concat([batch, count, emit.ints(HEADS, size)], 0));
    const moved = emit.transpose(heads, [0, 2, 1, 3]);
    if (!isFolded) return moved;
    return emit.reshape(moved, emit.concat([emit.ints(-1), count, emit.ints(size)], 0));
  };
  const query = emit.floats(randomFloats(1, WIDTH), [1, 1, WIDTH]);
  const queries = emit.op('Expand', [query, emit.concat([batch, emit.ints(1, WIDTH)], 0)]);
  const keys = split(
    emit.op('MatMul', [hidden, emit.floats(randomFloats(2, WIDTH * WIDTH), [WIDTH, WIDTH])]),
    emit.extents(hidden, 1),
  );
  const transposed = emit.transpose(keys, isFolded ? [0, 2, 1] : [0, 1, 3, 2]);
  const scores = emit.op('MatMul', [split(queries, emit.ints(1)), transposed]);
  const pooled = emit.op('MatMul', [
    emit.op('Softmax', [scores], { axis: -1 }),
    split(hidden, emit.extents(hidden, 1)),
  ]);
  return emit.reshape(pooled, emit.concat([batch, emit.ints(WIDTH)], 0));
}

const heads: readonly (readonly [string, number, (emit: Emitter, hidden: string) => string])[] = [
  ['a mean', 0, (emit, hidden) => emit.reduceMean(hidden, [1], 0)],
  ['a mean that keeps its axis', 0, (emit, hidden) => emit.squeeze(emit.reduceMean(hidden, [1], 1), [1])],
  [
    'a mean of all rows but two',
    2,
    (emit, hidden) => {
      const rows = emit.op('Slice', [hidden, emit.ints(2), emit.ints(END), emit.ints(1)]);
      return emit.reduceMean(rows, [1], 0);
    },
  ],
  ['attention', 0, (emit, hidden) => attentionPooling(emit, hidden, false)],
  ['attention with heads in the batch', 0, (emit, hidden) => attentionPooling(emit, hidden, true)],
];

describe.each(heads)('%s over rows', (_name, skipped, build) => {
  const all = randomFloats(3, BATCH * ROWS * WIDTH);
  /** Rows 1 and 3 of each example are none of its own. */
  const isOwn = (place: number): boolean => place % ROWS !== 1 + skipped && place % ROWS !== 3;
  const own = all.filter((_, index) => isOwn(Math.floor(index / WIDTH)));
  const plain = async (): Promise<Float32Array> => {
    const x = float32(own, [BATCH, own.length / BATCH / WIDTH, WIDTH]);
    return floatsOf((await evaluate(headed(build), { x })).y);
  };
  const weights = Float32Array.from({ length: BATCH * ROWS }, (_, place) =>
    isOwn(place) && place % ROWS >= skipped ? 1 / (own.length / BATCH / WIDTH - skipped) : 0,
  );
  const feeds = { x: float32(all, [BATCH, ROWS, WIDTH]), row_weights: float32(weights, [BATCH, ROWS]) };

  it('of weight 0 is what it is without them', async () => {
    const graph = headed(build);
    expect(weightPooledRows(graph, 'hidden')).toEqual({ weights: 'row_weights', skipped });
    expect(relativeError(floatsOf((await evaluate(graph, feeds)).y), await plain())).toBeLessThan(1e-6);
  });
});

it('attention pooling takes weights and key biases together', async () => {
  const build = (emit: Emitter, hidden: string): string => attentionPooling(emit, hidden, true);
  const x = float32(randomFloats(3, BATCH * ROWS * WIDTH), [BATCH, ROWS, WIDTH]);
  const values = randomFloats(4, BATCH * ROWS);
  const equal = float32(new Float32Array(BATCH * ROWS).fill(1), [BATCH, ROWS]);
  const bias = float32(values, [BATCH, ROWS]);
  const both = headed(build);
  weightPooledRows(both, 'hidden');
  addKeyBias(both, 'hidden');
  const weighted = headed(build);
  weightPooledRows(weighted, 'hidden');
  const [one, other] = [
    await evaluate(both, { x, row_weights: equal, key_bias: bias }),
    await evaluate(weighted, { x, row_weights: float32(values.map(Math.exp), [BATCH, ROWS]) }),
  ];
  expect(relativeError(floatsOf(one.y), floatsOf(other.y))).toBeLessThan(1e-6);
});

it('a head that reads single rows stays as it is', () => {
  const graph = headed((emit, hidden) => emit.op('Gather', [hidden, emit.int(0)], { axis: 1 }));
  const before = [...graph.nodes].length;
  expect(weightPooledRows(graph, 'hidden')).toBeUndefined();
  expect([...graph.nodes]).toHaveLength(before);
  expect(graph.inputs.has('row_weights')).toBe(false);
});

it('a head whose parts pool different rows is refused', () => {
  const graph = headed((emit, hidden) => {
    const rows = emit.op('Slice', [hidden, emit.ints(1), emit.ints(END), emit.ints(1)]);
    return emit.add(emit.reduceMean(hidden, [1], 0), emit.reduceMean(rows, [1], 0));
  });
  expect(() => weightPooledRows(graph, 'hidden')).toThrow(StructureNotFoundError);
});
