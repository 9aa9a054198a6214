import { describe, expect, it } from '@jest/globals';
import type { Emitter } from '../graph/emitter.js';
import { Graph } from '../graph/graph.js';
import { DataType } from '../graph/types.js';
import { float32 } from '../session/tensor-value.js';
import { buildModel, distance, evaluate, floatInput } from '../testing/models.js';
import { randomFloats } from '../testing/random.js';
import { fuse, normalise } from './index.js';

/** Operators that a model of x [B, T, 8] has after fusion, which must not change its values. */
async function operatorsOf(build: (emit: Emitter, x: string) => string): Promise<string[]> {
  const bytes = buildModel((emit) => {
    emit.output('y', build(emit, floatInput(emit, 'x', 'B', 'T', 8)));
  });
  const graph = Graph.read(bytes);
  normalise(graph);
  fuse(graph);
  const feeds = { x: float32(randomFloats(1, 2 * 3 * 8), [2, 3, 8]) };
  const [before, after] = [await evaluate(Graph.read(bytes), feeds), await evaluate(graph, feeds)];
  expect(distance(after.y, before.y)).toBeLessThan(1e-6);
  const operators = graph.sortedNodes().map(({ opType }) => opType);
  return operators.filter((operator) => operator !== 'Identity');
}

const vector = (emit: Emitter, width: number): string =>
  emit.floats(randomFloats(2, width, 0.5, 1.5), [width]);

describe('forms that published exports have', () => {
  it('layer normalisation without a bias (ModernBERT)', async () => {
    const operators = await operatorsOf((emit, x) => {
      const centred = emit.sub(x, emit.reduceMean(x, [-1], 1));
      const variance = emit.reduceMean(emit.op('Pow', [centred, emit.float(2)]), [-1], 1);
      const deviation = emit.op('Sqrt', [emit.add(variance, emit.float(1e-5))]);
      return emit.add(emit.mul(emit.div(centred, deviation), vector(emit, 8)), x);
    });
    expect(operators).toEqual(['LayerNormalization', 'Add']);
  });

  it('root-mean-square normalisation between casts (Llama, T5)', async () => {
    const operators = await operatorsOf((emit, x) => {
      const wide = emit.cast(x, DataType.float32);
      const mean = emit.reduceMean(emit.op('Pow', [wide, emit.float(2)]), [-1], 1);
      const root = emit.op('Sqrt', [emit.add(mean, emit.float(1e-6))]);
      const normalised = emit.mul(wide, emit.op('Reciprocal', [root]));
      return emit.mul(vector(emit, 8), emit.cast(normalised, DataType.float32));
    });
    expect(operators).toEqual(['SimplifiedLayerNormalization']);
  });

  it("torch's own tanh GELU (SigLIP)", async () => {
    const operators = await operatorsOf((emit, x) => {
      const cubic = emit.mul(emit.float(0.044715), emit.mul(x, emit.mul(x, x)));
      const tanh = emit.op('Tanh', [emit.mul(emit.float(Math.sqrt(2 / Math.PI)), emit.add(x, cubic))]);
      return emit.mul(emit.float(0.5), emit.mul(x, emit.add(emit.float(1), tanh)));
    });
    expect(operators).toEqual(['FastGelu']);
  });
});

describe('scaled_dot_product_attention of torch 2', () => {
  interface Variant {
    /** [B, T, 2, 4] → [B, 2, T, 4] in the queries' place. */
    readonly queries?: (emit: Emitter, heads: string) => string;
    /** Target of the reshape that splits heads. */
    readonly target?: (emit: Emitter, x: string) => string;
    /** The width of a head, read from the queries. */
    readonly width?: (emit: Emitter, queries: string) => string;
  }
  const attention =
    ({ queries, target, width }: Variant = {}) =>
    (emit: Emitter, x: string): string => {
      const constant = (e: Emitter): string => e.ints(0, 0, 2, 4);
      const split = emit.reshape(x, (target ?? constant)(emit, x));
      const heads = emit.transpose(split, [0, 2, 1, 3]);
      const q = (queries ?? ((_, same) => same))(emit, heads);
      const read = (e: Emitter, tensor: string): string =>
        e.op('Slice', [e.op('Shape', [tensor]), e.ints(-1), e.ints(2 ** 63)]);
      const extent = emit.cast((width ?? read)(emit, q), DataType.float32);
      const scale = emit.div(emit.float(1), emit.op('Sqrt', [extent]));
      const root = emit.op('Sqrt', [scale]);
      const keys = emit.mul(emit.transpose(split, [0, 2, 3, 1]), root);
      return emit.op('MatMul', [emit.mul(q, root), keys]);
    };

  it.each<[string, Variant]>([
    ['a constant reshape', {}],
    [
      'a reshape put together from extents',
      { target: (emit, x) => emit.concat([emit.extents(x, 0, 1), emit.ints(2), emit.ints(4)], 0) },
    ],
    [
      'the width by Gather',
      { width: (emit, q) => emit.op('Gather', [emit.op('Shape', [q]), emit.ints(-1)]) },
    ],
    [
      'normalised queries (Qwen3)',
      { queries: (emit, heads) => emit.op('LayerNormalization', [heads, vector(emit, 4)]) },
    ],
    ['rotated queries', { queries: (emit, heads) => emit.mul(heads, vector(emit, 4)) }],
  ])('is one product with its scale: %s', async (_name, variant) => {
    const operators = await operatorsOf(attention(variant));
    expect(operators.filter((operator) => operator === 'FusedMatMul')).toHaveLength(1);
    expect(operators).not.toContain('Sqrt');
    expect(operators).not.toContain('MatMul');
  });

  it.each<[string, Variant]>([
    ['a width that is inferred', { target: (emit) => emit.ints(0, 0, 2, -1) }],
    ['another extent', { width: (emit, q) => emit.extents(q, 1) }],
  ])('keeps its factors with %s', async (_name, variant) => {
    expect(await operatorsOf(attention(variant))).toContain('Sqrt');
  });
});
